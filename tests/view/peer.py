"""Looks at pictures with OpenCV, an implementation that is not ours.

peer.py alike PICTURE GOLDEN      how alike two pictures are in structure
peer.py frame FRAME.png POSE      what a camera frame and its truth mask hold; POSE is the camera's on the map as JSON
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np


def read(path):
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert image is not None, f"{path}: no picture"
    return image


def correlation(a, b):
    a, b = a.astype(float).ravel(), b.astype(float).ravel()
    return float(np.corrcoef(a, b)[0, 1])


def alike(picture, golden):
    """Correlation of brightness and of edges, an eighth as large: drivers and fonts may differ, the scene may not."""
    a, b = (cv2.cvtColor(read(p), cv2.COLOR_BGR2GRAY) for p in (picture, golden))
    size = (160, 90)
    small = [cv2.resize(i, size, interpolation=cv2.INTER_AREA) for i in (a, b)]
    edges = [cv2.magnitude(cv2.Sobel(i, cv2.CV_32F, 1, 0), cv2.Sobel(i, cv2.CV_32F, 0, 1)) for i in small]
    return {
        "brightness": correlation(*small),
        "edges": correlation(*edges),
        "sizes": [list(a.shape[::-1]), list(b.shape[::-1])],
        "mean": [float(a.mean()), float(b.mean())],
    }


def frame(path, camera):
    image, mask = read(path), read(Path(path).with_suffix(".mask.png"))
    truth = json.load(open(Path(path).with_suffix(".json"), encoding="utf8"))
    codes = (mask[..., 2].astype(int) << 16) | (mask[..., 1].astype(int) << 8) | mask[..., 0]
    named = {int(t["colour"][1:], 16): t for t in truth["things"]}
    counts = dict(zip(*(v.tolist() for v in np.unique(codes, return_counts=True))))
    counts.pop(0, None)

    # A whole book is one piece in the mask; of one that is pushed back, neighbours or a book that lies before it may cut pieces off.
    pieces = []
    for code, thing in named.items():
        if "book" in thing and thing["pixels"] > 2000:
            n, _, stats, _ = cv2.connectedComponentsWithStats((codes == code).astype(np.uint8))
            pieces.append(float(stats[1:, cv2.CC_STAT_AREA].max() / thing["pixels"]))

    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11))
    corners, ids, _ = detector.detectMarkers(grey)
    k = np.array(truth["k"]).reshape(3, 3)
    d = np.array(truth["d"])
    markers = {}
    for found, marker in zip(corners, [] if ids is None else ids.ravel().tolist()):
        found = found.reshape(4, 2)
        codes_inside = codes[tuple(found.mean(axis=0).round().astype(int)[::-1])]
        markers[marker] = {
            "in_mask": named.get(int(codes_inside), {}).get("marker", {}).get("id"),
            "off_px": off(found, marker, camera, k, d),
        }
    return {
        "unnamed_colours": len(set(counts) - set(named)),
        "counts_agree": all(counts.get(c) == t["pixels"] for c, t in named.items()),
        "books": sum("book" in t for t in named.values()),
        "whole": float(np.mean([p > 0.9 for p in pieces])) if pieces else 0.0,
        "large_books": len(pieces),
        "markers": markers,
        "contrast": float(grey.std()),
        "mean": float(grey.mean()),
        "noise": noise(grey),
    }


def off(found, marker, camera, k, d):
    """How far a marker's corners are from where OpenCV's lens model puts them, pixels."""
    if camera is None or str(marker) not in camera["markers"]:
        return None
    at, heading, size = camera["markers"][str(marker)]
    right = np.array([-np.sin(heading), np.cos(heading), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    points = [np.array(at) + size / 2 * (i * right + j * up) for i, j in [(-1, 1), (1, 1), (1, -1), (-1, -1)]]
    eye, look = np.array(camera["at"]), camera["heading"]
    forward = np.array([np.cos(look), np.sin(look), 0.0])
    map_to_camera = np.stack([np.array([forward[1], -forward[0], 0.0]), -up, forward])
    rotation, _ = cv2.Rodrigues(map_to_camera)
    projected, _ = cv2.projectPoints(np.array(points), rotation, -map_to_camera @ eye, k, d)
    projected = projected.reshape(4, 2)
    # The detector begins at another corner than ours.
    return min(float(np.abs(np.roll(found, s, axis=0) - projected).max()) for s in range(4))


def noise(grey):
    """Spread of the finest grain in even places (Immerkaer 1996), grey levels."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], float)
    grain = np.abs(cv2.filter2D(grey.astype(float), -1, kernel))
    return float(np.median(grain) / 0.6745 / 6)


if __name__ == "__main__":
    if sys.argv[1] == "alike":
        out = alike(sys.argv[2], sys.argv[3])
    else:
        out = frame(sys.argv[2], json.loads(sys.argv[3]))
    print(json.dumps(out))
