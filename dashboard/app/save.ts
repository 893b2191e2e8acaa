//! Gives the reader a file that was made in the browser.

export function save(name: string, type: string, content: string | Blob): void {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun by then, and the browser keeps what it needs of it.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Draws SVG pictures below each other, twice as large as they say: for screens and slides. */
export async function png(pictures: string[]): Promise<Blob> {
  const images = await Promise.all(pictures.map(load));
  const canvas = document.createElement("canvas");
  canvas.width = 2 * Math.max(...images.map((image) => image.width));
  canvas.height = 2 * images.reduce((sum, image) => sum + image.height, 0);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser draws no pictures");
  let top = 0;
  for (const image of images) {
    context.drawImage(image, 0, top, 2 * image.width, 2 * image.height);
    top += 2 * image.height;
  }
  return new Promise((done, failed) => {
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("the picture was too large"))), "image/png");
  });
}

function load(svg: string): Promise<HTMLImageElement> {
  return new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = () => failed(new Error("the picture could not be drawn"));
    image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  });
}
