"""The exchange's REST answers, by group; pure functions of the floor, a request and the time."""
