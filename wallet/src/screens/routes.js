// Which screen an address draws. Nothing of the wallet shows before it is activated and opened.

import { account } from "./account.js";
import { detail, list } from "./certificates.js";
import { history } from "./history.js";
import { lost } from "./lost.js";
import { mandates } from "./mandates.js";
import { offer } from "./offer.js";
import { phones } from "./phones.js";
import { present } from "./present.js";
import { scan } from "./scan.js";
import { settings } from "./settings.js";
import { unlock } from "./unlock.js";
import { welcome } from "./welcome.js";

const SCREENS = { offer, present, scan, settings, history: (app) => history(app), phones: (app) => phones(app), account: (app) => account(app), mandates: (app) => mandates(app) };
const WITHOUT_A_WALLET = { scan, lost: (app) => lost(app) };

export function drawRoute(app, route) {
  if (!app.home.activated) return (WITHOUT_A_WALLET[route.name] ?? welcome)(app, route);
  if (!app.opened) return unlock(app, () => app.draw());
  if (route.name === "certificates" && route.id) return detail(app, route);
  return (SCREENS[route.name] ?? list)(app, route);
}
