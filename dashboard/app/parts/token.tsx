//! Asks for the token of a node, which is then kept for as long as the tab is open.

import { useState } from "react";
import { setToken } from "../socket.ts";

export function TokenForm({ button }: { button: string }) {
  const [token, setText] = useState("");
  return (
    <form className="token" onSubmit={(event) => {
      event.preventDefault();
      setToken(token);
    }}>
      <label>Token <input type="password" value={token} autoComplete="off" onChange={(event) => setText(event.target.value)} /></label>
      <button type="submit" className="button" disabled={token === ""}>{button}</button>
    </form>
  );
}
