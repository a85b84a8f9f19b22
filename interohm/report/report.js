"use strict";
// Draws the figures of the page and moves them with the state of charge. Colours "var(--name)" are
// those of the style sheet, looked up anew when the page turns light or dark, or goes to paper.
(() => {
  const read = (name) => JSON.parse(document.getElementById(name).textContent);
  const repeated = read("repeated");
  const whole = (value) => {
    if (Array.isArray(value)) return value.map(whole);
    if (value === null || typeof value !== "object") return value;
    if ("again" in value) return whole(repeated[value.again]);
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, whole(v)]));
  };
  const figures = whole(read("figures"));
  const slider = document.getElementById("state");
  const TOOLBAR_WIDTH = 40;
  const charges = read("charges");
  const config = {
    responsive: true,
    displaylogo: false,
    modeBarButtons: [["toImage", "resetScale2d"]],
    toImageButtonOptions: { format: "svg", filename: "interohm" },
  };

  const coloured = (value, style) => {
    if (typeof value === "string") {
      return value.startsWith("var(") ? style.getPropertyValue(value.slice(4, -1)).trim() : value;
    }
    if (Array.isArray(value)) return value.map((item) => coloured(item, style));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, coloured(v, style)]));
  };

  const place = () => (slider ? Number(slider.value) : 0);

  const draw = () => {
    const style = getComputedStyle(document.documentElement);
    const text = style.getPropertyValue("--text").trim();
    const muted = style.getPropertyValue("--muted").trim();
    const page = style.getPropertyValue("--page").trim();
    for (const element of document.querySelectorAll("[data-figure]")) {
      const { layout, always = [], frames } = figures[element.dataset.figure];
      const common = {
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        font: { color: text, family: getComputedStyle(document.body).fontFamily, size: 13 },
        hoverlabel: { bgcolor: page, bordercolor: text, font: { color: text } },
        modebar: { orientation: "v", bgcolor: "rgba(0,0,0,0)", color: muted, activecolor: text },
        uirevision: "kept",
      };
      const frame = [...always, ...frames[Math.min(place(), frames.length - 1)]];
      const drawn = { ...coloured(layout, style), ...common };
      // the toolbar stands in the margin, over nothing that is drawn
      drawn.margin = { ...drawn.margin, r: Math.max(drawn.margin?.r ?? 0, TOOLBAR_WIDTH) };
      // when the window changes, Plotly asks the element for its height
      if (drawn.height) element.style.height = `${drawn.height}px`;
      Plotly.react(element, coloured(frame, style), drawn, config);
    }
  };

  const show = () => {
    for (const element of document.querySelectorAll("[data-state]")) {
      const current = Number(element.dataset.state) === place();
      if (element.dataset.kind === "only") element.hidden = !current;
      else element.classList.toggle("current", current);
    }
    if (slider) {
      document.getElementById("charge").textContent = charges[place()];
      slider.setAttribute("aria-valuetext", charges[place()]);
    }
    draw();
  };

  slider?.addEventListener("input", show);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  // Paper is white and shows everything.
  let closed = [];
  addEventListener("beforeprint", () => {
    document.documentElement.dataset.theme = "light";
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const element of closed) element.open = true;
    draw();
  });
  addEventListener("afterprint", () => {
    delete document.documentElement.dataset.theme;
    for (const element of closed) element.open = false;
    draw();
  });
  show();
})();
