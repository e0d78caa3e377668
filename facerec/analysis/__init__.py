"""Finding faces in an image and turning each into a template."""

from facerec.analysis.analyzer import FaceAnalyzer
from facerec.analysis.faces import FaceQuality, Faces
from facerec.analysis.image_decoding import decode_image, read_image
from facerec.analysis.main_face import main_face
from facerec.analysis.quality import QualityFlaw, flaws

__all__ = [
    "FaceAnalyzer",
    "FaceQuality",
    "Faces",
    "QualityFlaw",
    "decode_image",
    "flaws",
    "main_face",
    "read_image",
]
