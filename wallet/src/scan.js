// Reading QR codes: the browser's BarcodeDetector where it knows QR, else jsQR on pictures of the camera.

const SIDE = 640;

/** Opens the back camera into `video`. → {until(accept): resolves when accept(text) is true, stop()}. */
export async function openScanner(video) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false });
  video.srcObject = stream;
  await video.play();
  const read = await reader();
  let running = true;
  const stop = () => {
    running = false;
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  };
  return {
    stop,
    async until(accept) {
      while (running) {
        const text = video.videoWidth > 0 ? await read(video, video.videoWidth, video.videoHeight) : null;
        if (text && accept(text)) return stop();
        await nextPicture(video);
      }
    },
  };
}

/** The QR code in an image file, or null. */
export async function readPicture(file) {
  if (!file) return null;
  const bitmap = await createImageBitmap(file);
  return (await reader())(bitmap, bitmap.width, bitmap.height);
}

async function reader() {
  const formats = globalThis.BarcodeDetector ? await BarcodeDetector.getSupportedFormats() : [];
  if (formats.includes("qr_code")) {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async (source) => (await detector.detect(source))[0]?.rawValue ?? null;
  }
  const { readQr } = await import(new URL("/static/wallet/scanner.js", location.origin).href);
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return async (source, width, height) => {
    const scale = Math.min(1, SIDE / Math.min(width, height));
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
    return readQr(context.getImageData(0, 0, canvas.width, canvas.height));
  };
}

const nextPicture = (video) =>
  new Promise((resolve) => (video.requestVideoFrameCallback ? video.requestVideoFrameCallback(resolve) : requestAnimationFrame(resolve)));
