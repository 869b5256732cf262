import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./App";
import "./page.css";

const root = document.getElementById("root");
if (root) createRoot(root).render(<StrictMode><App /></StrictMode>);

// The page opens with no network, too (public/shell.js). Not while it is developed: there, names carry no hash. Where a browser refuses, it opens online only.
if (import.meta.env.PROD && "serviceWorker" in navigator) navigator.serviceWorker.register("/shell.js").catch(() => undefined);
