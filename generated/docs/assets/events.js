// Starts the event reference. Nothing is asked of any other host.
"use strict";

(() => {
  const place = document.getElementById("reference");
  window.AsyncApiStandalone.render(
    {
      schema: { url: place.dataset.document, requestOptions: { method: "GET" } },
      config: {
        show: { sidebar: true, messageExamples: true, errors: true },
        expand: { messageExamples: false },
        sidebar: { showServers: "byDefault", showOperations: "byDefault" },
      },
    },
    place,
  );
})();
