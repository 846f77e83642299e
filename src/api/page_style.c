/* SPDX-License-Identifier: Apache-2.0 */
/* The style sheet of the demo page: tokens first, then from the top of the page to its foot, drawings,
 * narrow screens. One accent, Falu red; light and dark follow the reader's system; nothing is fetched from
 * elsewhere. Kept as lines because C promises no literal beyond 4,095 bytes; joined once. */
#include "api/page.h"

#include <assert.h>
#include <pthread.h>

static const char *const lines[] = {
    ":root{color-scheme:light dark;--bg:#f5f4f1;--sf:#fff;--ln:#e3e0da;--tx:#1d1b19;--mu:#605c56;"
    "--ac:#8f2419;--on:#fff;--as:#fbecea;--al:#e9c6c1;--rail:#eceae5;--other:#a29c93;--ok:#1f6b46;"
    "--gw:.85}",
    ".k0{--a:#9c3226;--b:#6f1f17;--c:#f6dcd2;--g:#f6e4df}",
    ".k1{--a:#2f6f52;--b:#1d4c37;--c:#dcebd9;--g:#e1ece4}",
    ".k2{--a:#33659a;--b:#1f4570;--c:#dbe8f3;--g:#e0e9f2}",
    ".k3{--a:#dba32b;--b:#a97510;--c:#fbf0d2;--g:#f7efdb}",
    ".k4{--a:#d3763a;--b:#9d4f1c;--c:#fbe6d4;--g:#f7e8dc}",
    ".k5{--a:#b33a56;--b:#7e2038;--c:#f8dbe1;--g:#f5e2e6}",
    ".k6{--a:#7f9950;--b:#566c30;--c:#eaf1d6;--g:#ebf0e0}",
    ".k7{--a:#55687a;--b:#374755;--c:#e3e9ee;--g:#e6eaee}",
    ".k8{--a:#7b5f98;--b:#543f6d;--c:#e9e0f1;--g:#ebe5f1}",
    ".k9{--a:#2c8086;--b:#195a5f;--c:#d6ecec;--g:#dfeeee}",
    "@media(prefers-color-scheme:dark){:root{--bg:#161618;--sf:#1f1f22;--ln:#343438;--tx:#edebe8;"
    "--mu:#aaa69f;--ac:#f0877a;--on:#2b0d09;--as:#3a221e;--al:#6d3a33;--rail:#2d2d31;--other:#7d7871;"
    "--ok:#79c8a0;--gw:.1}",
    ".k0{--g:#3a2724}.k1{--g:#22332b}.k2{--g:#222e3b}.k3{--g:#3a3322}.k4{--g:#3b2d23}.k5{--g:#3a262b}"
    ".k6{--g:#2e3424}.k7{--g:#2a3036}.k8{--g:#302a39}.k9{--g:#213436}}",
    "*{box-sizing:border-box}",
    "html{-webkit-text-size-adjust:100%;scroll-padding-top:16px}",
    "body{margin:0;background:var(--bg);color:var(--tx);"
    "font:.9375rem/1.45 -apple-system,BlinkMacSystemFont,\"Segoe UI\",Inter,Roboto,\"Helvetica Neue\","
    "Arial,sans-serif;font-variant-numeric:tabular-nums}",
    "main,.top,footer{max-width:1272px;margin:0 auto;padding:0 24px}",
    "h1,h2,h3,p,ul,ol,figure,pre{margin:0;padding:0}",
    "ul,ol{list-style:none}",
    "a{color:inherit}",
    ":focus-visible{outline:2px solid var(--ac);outline-offset:2px;border-radius:6px}",
    ".unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);"
    "white-space:nowrap}",
    ".skip{position:absolute;left:-999px;top:8px;background:var(--sf);padding:8px 14px;border-radius:8px;"
    "z-index:2}",
    ".skip:focus{left:16px}",
    ".symbols{position:absolute}",
    ".lead{color:var(--mu)}",
    "h2{font-size:1.125rem;line-height:1.3;font-weight:650;letter-spacing:-.01em}",
    "code{font:.8125rem/1.5 ui-monospace,\"SF Mono\",Menlo,Consolas,\"Liberation Mono\",monospace}",
    ".top{display:flex;align-items:center;gap:14px;padding-top:18px;padding-bottom:18px;flex-wrap:wrap}",
    ".brand{display:flex;align-items:center;gap:10px;font-weight:700;font-size:1.125rem;"
    "text-decoration:none;letter-spacing:-.01em;min-height:28px}",
    ".brand svg{width:28px;height:28px}.brand rect{fill:#8f2419}.brand path{fill:none;stroke:#fff;"
    "stroke-width:2.2;stroke-linecap:round}",
    ".tenant{color:var(--mu);font-size:.875rem;border:1px solid var(--ln);background:var(--sf);"
    "border-radius:99px;padding:4px 14px}",
    ".tenant b{color:var(--tx);font-weight:600}",
    ".dot{display:inline-block;width:8px;height:8px;border-radius:9px;background:var(--ok);"
    "margin-right:8px}",
    ".proof{display:grid;grid-template-columns:minmax(0,5fr) minmax(0,6fr);gap:24px 56px;"
    "align-items:center;background:var(--sf);border:1px solid var(--ln);border-radius:14px;"
    "padding:36px 40px}",
    "h1{font-size:2.125rem;line-height:1.15;letter-spacing:-.025em;font-weight:700;text-wrap:balance}",
    "h1 strong{color:var(--ac);font-weight:700;white-space:nowrap}",
    ".says .lead{margin-top:16px;max-width:52ch}",
    ".proof>h1,.proof>.lead{grid-column:1/-1;max-width:70ch}",
    "figcaption{color:var(--mu);font-size:.8125rem;margin-bottom:12px}",
    ".bars li{display:grid;grid-template-columns:178px minmax(0,1fr) 62px;align-items:center;gap:12px;"
    "min-height:32px}",
    ".bars .name{color:var(--mu);font-size:.875rem;text-align:right;line-height:1.2;"
    "overflow-wrap:anywhere}",
    ".bars svg{width:100%;height:24px;display:block}",
    ".rail{fill:var(--rail)}.bar{fill:var(--other)}.mine .bar{fill:var(--ac)}",
    ".span{fill:none;stroke:var(--tx);stroke-width:1.5;vector-effect:non-scaling-stroke;opacity:.75}",
    ".value{font-weight:600;font-size:.875rem;white-space:nowrap}",
    ".mine .name{color:var(--tx);font-weight:650}.mine .value{color:var(--ac);font-weight:700;"
    "font-size:1rem}",
    ".axis{display:flex;justify-content:space-between;color:var(--mu);font-size:.75rem}",
    ".bars+.axis{margin:2px 74px 0 190px}",
    "summary{cursor:pointer;color:var(--ac);font-size:.875rem;min-height:28px;padding:4px 0;"
    "width:fit-content}",
    "summary:hover{text-decoration:underline}",
    ".proof details{margin-top:6px}",
    ".scroll{overflow-x:auto}",
    "table{border-collapse:collapse;font-size:.8125rem;width:100%;margin:8px 0}",
    "th,td{text-align:right;padding:7px 10px;border-bottom:1px solid var(--ln);white-space:nowrap;"
    "font-weight:400}",
    "th:first-child{text-align:left}thead th{color:var(--mu)}",
    ".note{color:var(--mu);font-size:.8125rem}",
    ".who{margin-top:40px}",
    ".choices{display:grid;grid-template-columns:repeat(auto-fill,minmax(158px,1fr));gap:12px;"
    "margin-top:14px}",
    ".choices a{display:flex;flex-direction:column;gap:10px;height:100%;padding:14px;"
    "background:var(--sf);border:1px solid var(--ln);border-radius:12px;text-decoration:none;"
    "line-height:1.3}",
    ".choices a:hover{border-color:var(--ac)}",
    ".choices a[aria-current]{border-color:var(--ac);box-shadow:inset 0 0 0 1px var(--ac);"
    "background:var(--as)}",
    ".choices b{display:block;font-weight:600}.choices a>span>span{color:var(--mu);font-size:.8125rem}",
    ".choices a[aria-current] span span{color:var(--tx)}",
    ".small{width:44px;height:44px;border-radius:10px;flex:none}",
    ".rows{display:grid;grid-template-columns:minmax(0,1fr) 430px;gap:28px;margin-top:32px;"
    "align-items:start}",
    ".own:focus{outline:none}",
    ".tiles{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:14px;margin-top:14px}",
    ".tile{display:flex;flex-direction:column;background:var(--sf);border:1px solid var(--ln);"
    "border-radius:12px;overflow:hidden;padding-bottom:12px}",
    ".tile>:not(.picture){margin-left:14px;margin-right:14px}",
    ".picture{position:relative;margin-bottom:10px}",
    ".picture .art{display:block;width:100%;height:auto}",
    ".place{position:absolute;right:8px;top:8px;min-width:22px;height:22px;line-height:22px;"
    "text-align:center;border-radius:11px;background:var(--sf);color:var(--mu);font-size:.75rem;"
    "padding:0 6px}",
    ".mark{position:absolute;left:8px;top:8px;background:var(--sf);color:var(--tx);border-radius:11px;"
    "padding:0 9px;font-size:.75rem;line-height:22px;font-weight:600}",
    ".mark.new{background:var(--ac);color:var(--on)}.mark.up{color:var(--ac)}",
    "h3{font-size:.9375rem;line-height:1.3;font-weight:600;overflow-wrap:anywhere}",
    ".detail{color:var(--mu);font-size:.8125rem;overflow-wrap:anywhere}",
    ".price{font-weight:650;margin-top:3px}",
    ".why{font-size:.8125rem;line-height:1.35;margin-top:7px;color:var(--mu);overflow-wrap:anywhere}",
    ".why.own{color:var(--tx)}",
    ".only{font-size:.75rem;color:var(--ac);margin-top:5px;font-weight:600}",
    ".acts{display:flex;gap:8px;margin-top:auto;padding-top:12px}",
    "button{font:inherit;font-size:.875rem;font-weight:600;line-height:1;min-height:34px;padding:0 14px;"
    "border-radius:9px;border:1px solid var(--ln);background:transparent;color:var(--tx);cursor:pointer;"
    "flex:1}",
    "button:hover{border-color:var(--ac)}",
    "button.buy{background:var(--as);border-color:var(--al);color:var(--ac)}",
    "button.buy:hover{background:var(--ac);color:var(--on)}",
    "button.erase{background:var(--ac);color:var(--on);border-color:var(--ac);flex:none;margin-top:10px}",
    ".did{margin-top:12px;padding:11px 16px;border-radius:10px;background:var(--as);"
    "border:1px solid var(--al)}",
    ".did b{font-weight:650}",
    ".how{color:var(--mu);font-size:.8125rem;margin-top:12px}",
    ".others{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:14px}",
    ".other{background:var(--sf);border:1px solid var(--ln);border-radius:12px;padding:16px}",
    ".other h2{font-size:1rem}.other .lead{font-size:.8125rem;min-height:36px;margin-top:2px;"
    "line-height:1.35}",
    ".other li{display:flex;gap:10px;align-items:center;padding:8px 0;border-top:1px solid var(--ln)}",
    ".other ol{margin-top:10px}",
    ".other b,.repeat b{display:block;font-weight:500;font-size:.875rem;line-height:1.25;"
    "overflow-wrap:anywhere}",
    ".diff{font-size:.75rem;color:var(--mu)}",
    ".same{position:relative}.same .diff{color:var(--ac);font-weight:600}",
    ".same .diff:before{content:\"✓ \"}",
    ".empty{color:var(--mu);padding:14px 0}",
    ".known{display:grid;grid-template-columns:minmax(0,6fr) minmax(0,4fr) minmax(0,3fr);gap:14px;"
    "margin-top:44px;align-items:start}",
    ".known .title{grid-column:1/-1}",
    ".card{background:var(--sf);border:1px solid var(--ln);border-radius:12px;padding:18px 20px}",
    ".card h2{font-size:1rem}.card .lead{font-size:.875rem}",
    ".side{display:grid;gap:14px}",
    ".stems{width:100%;height:64px;display:block;margin-top:12px}",
    ".stem{fill:none;stroke:var(--ac);stroke-width:3;stroke-linecap:round;"
    "vector-effect:non-scaling-stroke;opacity:.8}",
    ".floor{fill:none;stroke:var(--ln);stroke-width:1;vector-effect:non-scaling-stroke}",
    ".visits{margin-top:14px;border-left:2px solid var(--ln);padding-left:18px}",
    ".visits li{position:relative;padding:7px 0}",
    ".visits li:before{content:\"\";position:absolute;left:-24px;top:13px;width:10px;height:10px;"
    "border-radius:9px;background:var(--ac);border:2px solid var(--sf);box-sizing:border-box}",
    ".visits .look:before{background:var(--sf);border-color:var(--ac)}",
    ".when{font-size:.8125rem;color:var(--mu)}.when b{color:var(--tx);font-weight:600}",
    ".what{font-size:.875rem;overflow-wrap:anywhere}",
    ".repeat li{display:flex;gap:12px;align-items:center;padding:8px 0}",
    ".repeat li+li{border-top:1px solid var(--ln)}",
    ".repeat li>span{flex:1;min-width:0}.repeat li>span>span{font-size:.8125rem;color:var(--mu)}",
    ".repeat .share{display:block;width:100%;height:4px;margin-top:4px}.repeat .bar{fill:var(--ac)}",
    ".pairs li{display:grid;grid-template-columns:1fr auto;gap:0 10px;padding:7px 0;font-size:.875rem}",
    ".pairs li+li{border-top:1px solid var(--ln)}",
    ".pairs b{font-weight:500;overflow-wrap:anywhere}.pairs small{grid-column:1/-1;color:var(--mu);"
    "font-size:.75rem;overflow-wrap:anywhere}",
    ".pairs span{color:var(--mu)}.pairs .yes{color:var(--ok);font-weight:600}.pairs .no{color:var(--ac);"
    "font-weight:600}",
    ".withdraw{margin-top:8px;font-size:.875rem}.withdraw p{color:var(--mu);font-size:.8125rem}",
    ".curl{margin-top:14px}",
    "pre{overflow-x:auto;margin-top:10px;padding:12px 14px;background:var(--bg);border-radius:8px}",
    "footer{color:var(--mu);font-size:.8125rem;padding-top:32px;padding-bottom:40px;max-width:1272px}",
    "footer p{max-width:90ch}",
    ".g{fill:var(--g)}.gl{fill:url(#gl);opacity:var(--gw)}.gs{fill:#000;opacity:.12}",
    ".a{fill:var(--a)}.b{fill:var(--b)}.c{fill:var(--c)}.s{fill:#000;opacity:.14}.h{fill:#fff;"
    "opacity:.28}.w{fill:#fbfaf7}.m{fill:#d9d6cf}.k{fill:#26231f}",
    ".n0{fill:#f0d9ae}.n1{fill:#c23b34}.n2{fill:#4f8f46}.n3{fill:#e58a2e}.n4{fill:#86b65a}"
    ".n5{fill:#f0c64a}.n6{fill:#b8474a}.n7{fill:#b07c44}.n8{fill:#f3d6cc}.n9{fill:#b5563f}"
    ".n10{fill:#4c2236}",
    ".l,.d,.f,.v,.o{fill:none;stroke:#000;stroke-width:2.5;stroke-linecap:round;"
    "opacity:.22}.d{stroke:#fff;opacity:.7}.f{stroke:#4d8fc4;opacity:1}.v{stroke:#888;"
    "opacity:.5}.o{stroke:#3a3a3a;stroke-width:4;opacity:.8}",
    ".x0,.x1,.x2,.x3{display:none}.x0{display:var(--x0,none)}.x1{display:var(--x1,none)}"
    ".x2{display:var(--x2,none)}.x3{display:var(--x3,none)}",
    ".m0{--x0:inline}.m1{--x1:inline}.m2{--x2:inline}.m3{--x3:inline}",
    "@media(max-width:1180px){.rows{grid-template-columns:minmax(0,1fr)}"
    ".known{grid-template-columns:minmax(0,1fr) minmax(0,1fr)}.line{grid-column:1/-1}}",
    "@media(max-width:900px){.proof{grid-template-columns:minmax(0,1fr);padding:28px}}",
    "@media(max-width:700px){main,.top,footer{padding-left:16px;"
    "padding-right:16px}h1{font-size:1.625rem}.proof{padding:22px 18px}"
    ".tiles{grid-template-columns:repeat(2,minmax(0,1fr));gap:10px}.tile>:not(.picture){margin-left:11px;"
    "margin-right:11px}.choices{grid-template-columns:minmax(0,1fr) minmax(0,1fr);"
    "gap:8px}.known{grid-template-columns:minmax(0,1fr)}.bars li{grid-template-columns:116px minmax(0,"
    "1fr) 54px;gap:9px}.bars .name{font-size:.8125rem}.bars+.axis{margin:2px 63px 0 125px}.acts{gap:6px}"
    "button{padding:0 8px}.counts{display:none}.mine .value{font-size:.875rem}.small{width:36px;"
    "height:36px}.choices a{flex-direction:row;padding:9px 10px;gap:9px;align-items:start;"
    "font-size:.875rem}}",
    "@media(max-width:520px){.others{grid-template-columns:minmax(0,1fr)}.other .lead{min-height:0}}",
    "@media(forced-colors:active){.bar{fill:CanvasText}.mine .bar{fill:Highlight}}",
};

static char joined[24 * 1024]; /* 11 KiB now */
static size_t joined_n;

static void join(void)
{
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        size_t n = strlen(lines[i]);

        assert(n < sizeof(joined) - joined_n);
        memcpy(joined + joined_n, lines[i], n);
        joined_n += n;
    }
}

struct bytes page_style(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, join);
    return (struct bytes){joined, joined_n};
}
