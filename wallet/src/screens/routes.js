// Which screen an address draws. Nothing of the wallet shows before it is activated and opened.

import { detail, list } from "./certificates.js";
import { history } from "./history.js";
import { offer } from "./offer.js";
import { present } from "./present.js";
import { scan } from "./scan.js";
import { settings } from "./settings.js";
import { unlock } from "./unlock.js";
import { welcome } from "./welcome.js";

const SCREENS = { offer, present, scan, settings, history: (app) => history(app) };

export function drawRoute(app, route) {
  if (!app.home.activated) return route.name === "scan" ? scan(app) : welcome(app, route);
  if (!app.opened) return unlock(app, () => app.draw());
  if (route.name === "certificates" && route.id) return detail(app, route);
  return (SCREENS[route.name] ?? list)(app, route);
}
