"""What a stranger's radio, a file name or a zone's author might say to a page: texts that want to be more than text.

Gives them by what they try. None of them may run, load, close what they stand in, turn the page about or widen it.
"""

from typing import Final

TEXTS: Final[tuple[str, ...]] = (
    "<script>window.ran=1</script>",
    "</script><script>window.ran=2</script>",
    "</style><img src=x onerror=window.ran=3>",
    "</title><svg onload=window.ran=4>",
    '"><img src=x onerror="window.ran=5">',
    "' onmouseover='window.ran=6' x='",
    '" autofocus onfocus="window.ran=7" x="',
    "javascript:window.ran=8//",
    "<a href='javascript:window.ran=9'>BUSAN</a>",
    "<iframe srcdoc='<script>top.ran=10</script>'></iframe>",
    "<math><mtext></p><style><!--</style><img src=x onerror=window.ran=11>",
    "]]><script>window.ran=12</script><![CDATA[",
    "<!-- OPEN",
    "--><script>window.ran=13</script>",
    "{{7*7}}{% raw %}{{ self }}",
    "${7*7}#{7*7}<%= 7*7 %>",
    "&lt;b&gt;&#60;script&#62;&amp;",
    "<base href='https://example.org/'><meta http-equiv=refresh content='0;url=https://example.org/'>",
    "<form action='https://example.org/'><input name=kind><button>GO",
    "</td></tr></table></section></main><h1>OWNED</h1>",
    "\u202egnp.exe\u2066 \u2067RTL\u2069",
    "A\x00B\x07C\x1b[31mD\x7f\x85E\u2028F\u2029G",
    "\u200bZERO\u200dWIDTH\ufeff\u00ad",
    "\u05d0\u05d1\u05d2 \u0645\u0631\u062d\u0628\u0627 LATIN",
    "Z" + "\u0335\u0341\u0346" * 60,
    "=cmd|'/C calc'!A0",
    "W" * 10_000,
    "<b>" * 3_000,
    "`*_~[x](javascript:window.ran=14)|#",
    "url(https://example.org/);} *{display:none}",
    "row-voyage voyages filters __proto__ constructor",
)
"""Each of them as text, not more."""
