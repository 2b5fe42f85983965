// Starts the HTTP reference. Nothing is asked of any other host: no fonts, no telemetry, no assistant, no proxy.
"use strict";

(() => {
  const place = document.getElementById("reference");
  const own = window.location.origin;
  window.Scalar.createApiReference(place, {
    url: place.dataset.document,
    layout: "modern",
    theme: "default",
    withDefaultFonts: false,
    telemetry: false,
    agent: { disabled: true },
    mcp: { disabled: true },
    showDeveloperTools: "never",
    hideClientButton: true,
    persistAuth: false,
    proxyUrl: "",
    externalUrls: { dashboardUrl: own, registryUrl: own, proxyUrl: own, apiBaseUrl: own },
    defaultHttpClient: { targetKey: "shell", clientKey: "curl" },
    defaultOpenFirstTag: false,
    orderSchemaPropertiesBy: "preserve",
    operationTitleSource: "summary",
  });
})();
