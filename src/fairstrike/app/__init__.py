"""Starting, watching, showing. Only `build` joins parts."""
