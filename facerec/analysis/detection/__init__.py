"""Finding faces and their landmarks in an image of any size."""

from facerec.analysis.detection.centerface import CenterFaceDetector
from facerec.analysis.detection.detector import Detector
from facerec.analysis.detection.yunet import YuNetDetector

__all__ = ["CenterFaceDetector", "Detector", "YuNetDetector"]
