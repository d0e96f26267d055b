"""Units that save only as they close, in the ways real authoring tools had them do it, and one that never stops.

Each of the old ones is one unit that says ``completed`` and where its reader is nowhere but in an unload handler;
none commits before, and none knows ``pagehide``.
"""

from __future__ import annotations

from tests.package_builders import a_manifest_12, a_manifest_2004, a_package, zipped

_FIND_12 = """
function find(win) { var tries = 0;
  while (win.API == null && win.parent != null && win.parent != win && tries < 20) { tries++; win = win.parent; }
  return win.API; }
var api = find(window);
"""
_SAVE_12 = """
  api.LMSSetValue("cmi.core.lesson_location", "p7");
  api.LMSSetValue("cmi.core.lesson_status", "completed");
  api.LMSSetValue("cmi.suspend_data", "slides=1,2,3,4,5,6,7");
"""

BODY_ONUNLOAD = f"""<html><head><title>Slides</title><script>{_FIND_12}
function start() {{ api.LMSInitialize(""); }}
function leave() {{ {_SAVE_12} api.LMSFinish(""); }}
</script></head><body onload="start()" onunload="leave()"><p id="page">Slides</p></body></html>"""

BEFORE_AND_UNLOAD = f"""<html><head><title>Slides</title><script>{_FIND_12}
var over = false;
function leave() {{ if (over) return; over = true; {_SAVE_12} api.LMSCommit(""); api.LMSFinish(""); }}
window.onload = function () {{ api.LMSInitialize(""); }};
window.onbeforeunload = function () {{ leave(); }};
window.onunload = function () {{ leave(); }};
</script></head><body><p id="page">Slides</p></body></html>"""

FRAMESET = f"""<html><head><title>Course</title><script>{_FIND_12}
var visited = 0;
function doStart() {{ api.LMSInitialize(""); }}
function doVisit() {{ visited = visited + 1; }}
function doQuit() {{ {_SAVE_12} api.LMSFinish(""); }}
</script></head><frameset rows="40,*" onload="doStart()" onunload="doQuit()">
<frame name="menu" src="menu.html"><frame name="body" src="body.html"></frameset></html>"""
MENU = "<html><body><a href='body.html' target='body'>1</a></body></html>"
BODY = "<html><body onload='parent.doVisit()'><p id='page'>Slides</p></body></html>"

WINDOW_ONUNLOAD_COMMIT = f"""<html><head><title>Slides</title></head><body><p id="page">Slides</p><script>{_FIND_12}
api.LMSInitialize("");
window.onunload = function () {{
  {_SAVE_12}
  if (api.LMSCommit("") == "false") {{ api.LMSCommit(""); }}
  if (api.LMSFinish("") == "false") {{ api.LMSFinish(""); }}
}};
</script></body></html>"""

TERMINATE_IN_UNLOAD = """<html><head><title>Slides</title></head><body><p id="page">Slides</p><script>
function find(win) { var tries = 0;
  while (win.API_1484_11 == null && win.parent != null && win.parent != win && tries < 500) {
    tries++; win = win.parent; }
  return win.API_1484_11; }
var api = find(window), began = new Date().getTime();
api.Initialize("");
window.addEventListener("unload", function () {
  api.SetValue("cmi.session_time", "PT" + Math.round((new Date().getTime() - began) / 1000) + "S");
  api.SetValue("cmi.location", "p7");
  api.SetValue("cmi.completion_status", "completed");
  api.SetValue("cmi.exit", "normal");
  api.Terminate("");
});
</script></body></html>"""


def _old(page: str, *, is_2004: bool = False, **more: str) -> bytes:
    manifest = a_manifest_2004() if is_2004 else a_manifest_12()
    pages = {f"{name}.html": text.encode() for name, text in {"index": page, **more}.items()}
    return zipped({**a_package(manifest), **pages})


OLD_STYLES = {
    "LMSFinish in body onunload": _old(BODY_ONUNLOAD),
    "onbeforeunload and onunload": _old(BEFORE_AND_UNLOAD),
    "onunload of a frameset": _old(FRAMESET, menu=MENU, body=BODY),
    "synchronous commit in window.onunload": _old(WINDOW_ONUNLOAD_COMMIT),
    "Terminate in an unload listener": _old(TERMINATE_IN_UNLOAD, is_2004=True),
}

# Writes the instant into its location ten times a second, and beside it what `commit` was told to keep.
RESTLESS = """<!doctype html><title>Restless</title><p id="page">Restless</p><script>
const api = parent.API_1484_11;
api.Initialize("");
let last = 0;
const ticking = setInterval(() => { last = Date.now(); api.SetValue("cmi.location", String(last)); }, 100);
function rest() { clearInterval(ticking); return last; }
function commit() {
  const at = String(Date.now());
  api.SetValue("cmi.suspend_data", at);
  return [api.Commit(""), at];
}
</script>"""


def restless() -> bytes:
    """Return the package of the unit that never stops saving."""
    return zipped({**a_package(a_manifest_2004()), "index.html": RESTLESS.encode()})
