// Starts the event reference. Nothing is asked of any other host.
"use strict";

(() => {
  const place = document.getElementById("reference");

  // The component renders after the browser has looked for the fragment, and in several goes: the jump is made again
  // whenever the page has settled, until the reader does something.
  let settled = 0;
  const jump = () => document.getElementById(decodeURIComponent(window.location.hash.slice(1)))?.scrollIntoView();
  const watch = new MutationObserver(() => {
    window.clearTimeout(settled);
    settled = window.setTimeout(jump, 150);
  });
  const stop = () => watch.disconnect();
  if (window.location.hash) {
    watch.observe(place, { childList: true, subtree: true });
    for (const deed of ["wheel", "keydown", "pointerdown", "touchstart"]) {
      window.addEventListener(deed, stop, { once: true, passive: true });
    }
  }

  window.AsyncApiStandalone.render(
    {
      schema: { url: place.dataset.document, requestOptions: { method: "GET" } },
      config: {
        show: { sidebar: true, messageExamples: true, errors: true },
        expand: { messageExamples: true },
        sidebar: { showServers: "byDefault", showOperations: "byOperationsTags" },
      },
    },
    place,
  );
})();
