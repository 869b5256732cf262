// Where in the page one is. Paths are real: the program answers each with the page, so links can be kept and opened anew.
import { useSyncExternalStore } from "react";

export type Route = { page: "home" } | { page: "purses" } | { page: "purse"; purse: number } | { page: "offline" } | { page: "trust" };

export function routeOf(path: string): Route {
  const purse = /^\/purses\/([1-9][0-9]{0,9})$/.exec(path)?.[1];
  if (purse !== undefined) return { page: "purse", purse: Number(purse) };
  if (path === "/purses") return { page: "purses" };
  if (path === "/offline") return { page: "offline" };
  if (path === "/trust") return { page: "trust" };
  return { page: "home" };
}

export function pathOf(route: Route): string {
  if (route.page === "home") return "/";
  return route.page === "purse" ? `/purses/${route.purse}` : `/${route.page}`;
}

const moved = new EventTarget();

export function go(route: Route) {
  history.pushState(null, "", pathOf(route));
  moved.dispatchEvent(new Event("move"));
}

function follow(onMove: () => void) {
  moved.addEventListener("move", onMove);
  window.addEventListener("popstate", onMove);
  return () => {
    moved.removeEventListener("move", onMove);
    window.removeEventListener("popstate", onMove);
  };
}

export function useRoute(): Route {
  return routeOf(useSyncExternalStore(follow, () => location.pathname));
}

/** A link to another page of this page. */
export function To({ route, current, children }: { route: Route; current?: boolean; children: React.ReactNode }) {
  return (
    <a href={pathOf(route)} aria-current={current ? "page" : undefined}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return; // the browser's
        event.preventDefault();
        go(route);
        window.scrollTo(0, 0);
      }}>
      {children}
    </a>
  );
}
