import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app/App";
import { applyStyleNonce } from "./app/styleNonce";
import "./app/page.css";
import "./app/narrow.css";
import { FileLoadError } from "./components/lazyFile";
import { LanguageProvider } from "./i18n/LanguageProvider";
import { startSession } from "./session/startSession";
import { SessionContext } from "./session/useSession";

applyStyleNonce();
const setup = await startSession();
const root = document.getElementById("root");
if (!root) throw new Error("index.html has no element #root");
createRoot(root, {
  // A file that is not there is no fault of the scripts; any other error of a part is reported as an uncaught one.
  onCaughtError: (error) => {
    if (!(error instanceof FileLoadError)) reportError(error);
  },
}).render(
  <StrictMode>
    <LanguageProvider>
      <SessionContext value={setup}>
        <App />
      </SessionContext>
    </LanguageProvider>
  </StrictMode>,
);
