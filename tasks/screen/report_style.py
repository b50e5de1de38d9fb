"""How a page of a report looks: on wide and narrow screens, light and dark, and on paper."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --raised: #f4f5f7; --ink: #1c2024; --faint: #5b6470; --edge: #d8dce2;
  --succeeded: #2b8a4b; --failed: #c92a2a; --running: #1c6fc4; --other: #868e96; --waited: #c3cad3; --full: #d9480f; }
@media (prefers-color-scheme: dark) { :root { --ground: #15181c; --raised: #1f2429; --ink: #e6e9ed; --faint: #9aa5b1;
  --edge: #343b43; --succeeded: #51b56f; --failed: #f26d6d; --running: #5aa6ee; --other: #8b949e; --waited: #49525c;
  --full: #f59f5f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
p { margin: .3rem 0; }
.faint, th, dt { color: var(--faint); }
.trouble { border-left: 4px solid var(--full); background: var(--raised); padding: .5rem .8rem; margin: .8rem 0; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .6rem; margin: 1.2rem 0 0; }
dl div { background: var(--raised); border-radius: 6px; padding: .6rem .8rem; }
dt { font-size: .85rem; }
dd { margin: 0; font-size: 1.25rem; font-weight: 600; }
dd small { display: block; font-size: .8rem; font-weight: 400; color: var(--faint); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; font-size: .85rem; white-space: nowrap; }
th, td { padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--edge); vertical-align: top; }
.number { text-align: right; white-space: nowrap; }
.long { min-width: 14rem; overflow-wrap: anywhere; }
.job { display: grid; grid-template-columns: minmax(0, 15rem) 1fr; gap: .1rem 1rem; align-items: center;
  padding: .2rem 0; border-bottom: 1px solid var(--edge); break-inside: avoid; }
.name { display: flex; gap: .4rem; align-items: baseline; white-space: nowrap; min-width: 0; }
.name b { font-weight: 500; overflow: hidden; text-overflow: ellipsis; }
.job small { color: var(--faint); }
.axis { display: flex; justify-content: space-between; color: var(--faint); font-size: .8rem; }
svg { display: block; width: 100%; height: 12px; }
.meters { display: grid; grid-template-columns: repeat(3, 1fr); gap: 0 1rem; font-size: .85rem; }
.meters svg { height: 7px; margin-bottom: .25rem; background: var(--raised); }
.key { display: inline-block; margin-right: 1rem; font-size: .85rem; }
.key svg { display: inline-block; width: 14px; height: 10px; margin-right: .35rem; }
.succeeded { fill: var(--succeeded); } .failed { fill: var(--failed); } .running { fill: var(--running); }
.other { fill: var(--other); } .waited { fill: var(--waited); } .full { fill: var(--full); }
@media (max-width: 40rem) { main { padding: 1rem .75rem 2rem; } .job { grid-template-columns: 1fr; }
  .meters { gap: 0 .6rem; font-size: .75rem; } .wraps tr { display: flex; flex-wrap: wrap; }
  .wraps th, .wraps td { flex: 1 0 4rem; } .wraps td { border: 0; } .wraps tr { border-bottom: 1px solid var(--edge); }
  .wraps th.long { display: none; } .wraps td.long { flex-basis: 100%; padding-top: 0; } }
@media print {
  :root { --ground: #fff; --raised: #f4f5f7; --ink: #000; --faint: #444; --edge: #bbb; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { font-size: 11px; } main { max-width: none; padding: 0; }
  h2 { break-after: avoid; } tr { break-inside: avoid; }
}
"""
