// QR decoding for phones without BarcodeDetector, in a bundle of its own: fetched only when the camera is opened.

import jsQR from "jsqr";

/** An ImageData → the text of the QR code in it, or null. */
export const readQr = (image) => jsQR(image.data, image.width, image.height, { inversionAttempts: "dontInvert" })?.data ?? null;
