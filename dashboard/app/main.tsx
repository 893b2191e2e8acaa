//! Starts the page: theme, token, connection, React. In this order, so that the first paint has its colours.

import { createRoot } from "react-dom/client";
import "uplot/dist/uPlot.min.css";
import "./style/page.css";
import "./style/parts.css";
import "./style/views.css";
import { Page } from "./page.tsx";
import { connectNow, takeToken } from "./socket.ts";
import { applyTheme } from "./theme.ts";

applyTheme();
takeToken();
createRoot(document.getElementById("root") as HTMLElement).render(<Page />);
connectNow();
// Somebody may put the token into the address of a page that is open already.
addEventListener("hashchange", () => {
  if (takeToken()) connectNow();
});
