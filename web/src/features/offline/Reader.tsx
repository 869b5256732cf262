// Reads codes: by camera, from pictures, or as text. What is read may be anything; whole messages are handed on.
import { Button, Input } from "antd";
import jsQR from "jsqr";
import { QrCollector } from "jiaozi-purse";
import { useCallback, useEffect, useRef, useState } from "react";

import { useText, type Translate } from "../../shared/i18n";

const largestSide = 1600;
const lookEvery = 150; // ms

/** The text of the code in a picture. */
function codeIn(source: CanvasImageSource, width: number, height: number): string | undefined {
  const scale = Math.min(1, largestSide / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context || canvas.width === 0 || canvas.height === 0) return undefined;
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return jsQR(context.getImageData(0, 0, canvas.width, canvas.height).data, canvas.width, canvas.height)?.data;
}

function useCamera(onText: (text: string) => void) {
  const video = useRef<HTMLVideoElement>(null);
  const [on, setOn] = useState(false);
  const [failure, setFailure] = useState("");
  useEffect(() => {
    if (!on) return;
    let stream: MediaStream | undefined;
    let stopped = false;
    const element = video.current;
    navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }).then(
      (given) => {
        stream = given;
        if (stopped || !element) return given.getTracks().forEach((track) => track.stop());
        element.srcObject = given;
        return element.play();
      },
      (error: unknown) => { setFailure(String(error)); setOn(false); },
    );
    const timer = setInterval(() => {
      const text = element && codeIn(element, element.videoWidth, element.videoHeight);
      if (text !== undefined && text !== null) onText(text);
    }, lookEvery);
    return () => {
      stopped = true;
      clearInterval(timer);
      stream?.getTracks().forEach((track) => track.stop());
    };
  }, [on, onText]);
  return { video, on, failure, toggle: () => { setFailure(""); setOn(!on); } };
}

type Progress = { seen: number; wanted: number } | { wrong: "readForeign" | "readContradiction" | "readNothing" };

function progressText(progress: Progress | undefined, t: Translate): string {
  if (!progress) return "";
  return "wrong" in progress ? t(progress.wrong) : t("readSome", progress);
}

export function Reader({ onMessage }: { onMessage: (message: Uint8Array) => void }) {
  const { t } = useText();
  const collector = useRef(new QrCollector());
  const pictures = useRef<HTMLInputElement>(null);
  const [progress, setProgress] = useState<Progress>();
  const [text, setText] = useState("");

  const take = useCallback((part: string) => {
    const reading = collector.current.add(part);
    if (reading.outcome === "more") setProgress({ seen: reading.seen, wanted: reading.wanted });
    else if (reading.outcome === "whole") { setProgress(undefined); onMessage(reading.message); }
    else setProgress({ wrong: reading.outcome === "foreign" ? "readForeign" : "readContradiction" });
  }, [onMessage]);
  const camera = useCamera(take);

  const takePictures = async (files: FileList | null) => {
    for (const file of files ?? []) {
      const picture = await createImageBitmap(file).catch(() => undefined);
      const found = picture && codeIn(picture, picture.width, picture.height);
      picture?.close();
      if (found === undefined) setProgress({ wrong: "readNothing" });
      else take(found);
    }
    if (pictures.current) pictures.current.value = "";
  };
  const takeText = () => {
    text.split(/\s+/).filter((part) => part !== "").forEach(take);
    setText("");
  };

  return (
    <div className="reader">
      <p className="quiet">{t("readHelp")}</p>
      <video ref={camera.video} hidden={!camera.on} muted playsInline aria-label={t("camera")} style={{ width: 280, borderRadius: 8 }} />
      <input ref={pictures} type="file" accept="image/*" multiple hidden aria-label={t("pictures")} data-testid="pictures" onChange={(event) => void takePictures(event.target.files)} />
      <div className="row">
        <Button size="small" onClick={camera.toggle}>{t(camera.on ? "cameraStop" : "camera")}</Button>
        <Button size="small" onClick={() => pictures.current?.click()}>{t("pictures")}</Button>
      </div>
      <div className="row">
        <Input.TextArea aria-label={t("pasteText")} placeholder="JZP1/…" autoSize={{ minRows: 1, maxRows: 4 }} spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} />
        <Button onClick={takeText}>{t("takeText")}</Button>
      </div>
      <p aria-live="polite" className="reason">{camera.failure === "" ? progressText(progress, t) : t("cameraFailed", { why: camera.failure })}</p>
    </div>
  );
}
