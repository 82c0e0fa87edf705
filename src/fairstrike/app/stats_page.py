"""The statistics as one page of HTML that needs nothing beside it: tables as printed, pictures as SVG."""

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from fairstrike import __version__
from fairstrike.app.stats_printing import parts, remarks
from fairstrike.research.market_statistics import Pool
from fairstrike.research.statistics_plots import pictures, svg
from fairstrike.research.statistics_report import StatisticsReport

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Market statistics</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #22262b; background: #fff; margin: 2rem auto; max-width: 70rem;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
p { margin: .3rem 0; overflow-wrap: anywhere; }
.faint, figcaption { color: #646b75; font-size: .9rem; }
/* A shadow at an edge says that there is more to that side. */
.wide { overflow-x: auto; background: linear-gradient(90deg, #fff 33%, transparent) left,
  linear-gradient(270deg, #fff 33%, transparent) right,
  radial-gradient(farthest-side at 0 50%, #0004, transparent) left,
  radial-gradient(farthest-side at 100% 50%, #0004, transparent) right; background-repeat: no-repeat;
  background-size: 2.5rem 100%, 2.5rem 100%, .8rem 100%, .8rem 100%;
  background-attachment: local, local, scroll, scroll; }
.narrow { display: none; }
dl { margin: .5rem 0; max-width: 46rem; font-size: .9rem; color: #646b75; }
dt { float: left; clear: left; margin-right: .5rem; font-weight: 600; }
dt::after { content: ":"; }
dd { margin: 0 0 .15rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { color: #646b75; font-weight: normal; border-bottom: 1px solid #8a8f98; }
th, td { padding: .2rem .7rem .2rem 0; text-align: right; white-space: nowrap; }
th.left, td.left { text-align: left; }
tbody tr:nth-child(even) { background: #f5f7f9; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(34rem, 100%), 1fr)); gap: 1.5rem; }
figure { margin: 0; min-width: 0; }
figure svg { display: block; width: 100%; min-width: 34rem; height: auto; }
@media (max-width: 40rem) { .narrow { display: block; } }
@media print { .wide { overflow: visible; } figure svg { min-width: 0; } }
</style>
</head>
<body>
<h1>Market statistics</h1>
<p class="faint">{{ files }} read by fairstrike {{ version }}</p>
{% for line in remarks %}
<p>{{ line[0] | upper }}{{ line[1:] }}.</p>
{% endfor %}
{% if pictures %}
<h2>Pictures</h2>
<p class="faint narrow">Wide pictures and tables move sideways: swipe or scroll them.</p>
<div class="pictures">
{% for caption, drawing in pictures %}
<figure><div class="wide">{{ drawing }}</div><figcaption>{{ caption }}</figcaption></figure>
{% endfor %}
</div>
{% endif %}
{% for part in parts %}
{% set sheet = part.sheet %}
<h2>{{ sheet.title }}</h2>
<div class="wide"><table>
<thead><tr>{% for name in sheet.columns %}<th{% if loop.index0 < sheet.left %} class="left"{% endif %}>{{ name }}</th>
{%- endfor %}</tr></thead>
<tbody>
{% for row in sheet.rows %}
<tr>{% for cell in row %}<td{% if loop.index0 < sheet.left %} class="left"{% endif %}>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</tbody>
</table></div>
{% if part.words %}
<dl>
{% for word, meaning in part.words %}
<dt>{{ word }}</dt><dd>{{ meaning }}.</dd>
{% endfor %}
</dl>
{% endif %}
{% endfor %}
<h2>Recordings</h2>
<p class="faint">{{ report.files | join(", ") }}</p>
</body>
</html>
"""


def page(report: StatisticsReport, pool: Pool) -> str:
    """Give the page. The same statistics give the same page."""
    count = len(report.files)
    drawn = [(picture.caption, Markup(_inline(picture.name, svg(picture.figure)))) for picture in pictures(pool)]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_PAGE).render(
        files="1 recording" if count == 1 else f"{count} recordings",
        version=__version__,
        remarks=remarks(report),
        pictures=drawn,
        parts=parts(report),
        report=report,
    )


def _inline(name: str, text: str) -> str:
    """Give SVG as an element of a page: without a declaration, with identifiers no other picture has."""
    element = text[text.index("<svg") :]
    for mark in ('id="', 'href="#', "url(#"):
        element = element.replace(mark, f"{mark}{name}-")
    return element
