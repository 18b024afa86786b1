// Draws the page's Vega-Lite specifications with the colours of the theme in force; no code is built from strings.
"use strict";

const figures = [...document.querySelectorAll("[data-chart]")];

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function config() {
  const ink = colour("--quiet"), line = colour("--line"), font = getComputedStyle(document.body).fontFamily;
  return {
    background: null,
    font,
    view: { stroke: null },
    axis: { labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line, labelFontSize: 12, titleFontWeight: "normal" },
    legend: { labelColor: ink, titleColor: ink, labelFontSize: 12, symbolType: "square" },
    rule: { color: ink },
  };
}

async function draw(figure) {
  const spec = JSON.parse(figure.querySelector("script").textContent);
  const drawing = figure.querySelector(".drawing");
  figure.drawn?.finalize();
  figure.drawn = await vegaEmbed(drawing, spec, {
    mode: "vega-lite",
    ast: true,
    actions: false,
    renderer: "svg",
    defaultStyle: false,
    tooltip: { disableDefaultStyle: true },
    loader: { target: "_self" },
    config: config(),
  });
}

function drawAll() {
  for (const figure of figures) draw(figure).catch((error) => console.error(error));
}

drawAll();
document.addEventListener("themechange", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
