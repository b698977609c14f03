import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app/App";
import { applyStyleNonce } from "./app/styleNonce";
import "./app/page.css";
import "./app/narrow.css";
import { LanguageProvider } from "./i18n/LanguageProvider";
import { startSession } from "./session/startSession";
import { SessionContext } from "./session/useSession";

applyStyleNonce();
const setup = await startSession();
const root = document.getElementById("root");
if (!root) throw new Error("index.html has no element #root");
createRoot(root).render(
  <StrictMode>
    <LanguageProvider>
      <SessionContext value={setup}>
        <App />
      </SessionContext>
    </LanguageProvider>
  </StrictMode>,
);
