"""Making a person's templates anew with another network."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from facerec.analysis.analyzer import FaceAnalyzer
    from facerec.gallery.gallery import Gallery
    from facerec.gallery.profile import NewTemplate
    from facerec.gallery.reembedding import Source
    from facerec.inference.manifest import ModelManifest
    from facerec.settings import Settings

__all__ = ["Embedding", "embedding_space"]

_CENTRED = "-c"
"""What a space's id ends with, before the number of its centre, if a centre is subtracted."""


def embedding_space(settings: "Settings") -> str:
    """Return the space of the network that the settings name.

    Raises:
        ModelNotFoundError: it is not installed.
    """
    return _manifest(settings).embedding_space


@dataclass(frozen=True)
class Embedding:
    """Makes templates in one space.

    Attributes:
        settings: Of the home.
        manifest: Of the network.
        analyzer: Analyses pictures with it.
    """

    settings: "Settings"
    manifest: "ModelManifest"
    analyzer: "FaceAnalyzer"

    @classmethod
    def of(cls, settings: "Settings") -> Self:
        """Load the networks that the settings name.

        Raises:
            ModelNotFoundError: one is not installed.
        """
        from facerec.assembly import build_analyzer

        return cls(settings, _manifest(settings), build_analyzer(settings))

    @property
    def space(self) -> str:
        """Where the templates lie."""
        return self.manifest.embedding_space

    def embed(self, people: "Gallery", profile_id: str) -> bool:
        """Give a person templates in the space; return whether there was anything to make some of.

        Somebody who was erased meanwhile is passed over.
        """
        from facerec.errors import ProfileNotFoundError

        try:
            source = people.reembedder.source(profile_id)
            templates = [*self._of_images(source)] or [*self._of_templates(source)]
            return bool(templates) and people.reembedder.add(profile_id, templates)
        except ProfileNotFoundError:
            return False

    def _of_images(self, source: "Source") -> "list[NewTemplate]":
        """Analyse the kept pictures; they were accepted before, so none is rejected again."""
        from facerec.analysis.image_decoding import decode_image
        from facerec.decision.enrolment import assess_picture
        from facerec.errors import ImageError

        made = []
        before = {template.content_sha256: template for template in source.templates}
        for sha256, picture in source.images.items():
            known = before.get(sha256)
            try:
                image = decode_image(picture, max_pixels=self.settings.analysis.max_image_pixels)
            except ImageError:  # larger than is allowed now; the person is listed if it is all
                continue
            assessed = assess_picture(
                self.analyzer,
                image,
                source=known.source if known else "kept picture",
                min_quality=self.settings.decision.min_quality,
                content_sha256=sha256,
                force=True,
            )
            if assessed.template is not None:
                captured = known.captured if known else None
                made.append(replace(assessed.template, captured=captured))
        return made

    def _of_templates(self, source: "Source") -> "list[NewTemplate]":
        """Subtract the centre from templates that differ from this space's by nothing else."""
        from facerec.analysis.embedding import centred
        from facerec.gallery.profile import NewTemplate

        centre = self.manifest.centre
        plain = self.space.rpartition(_CENTRED)[0]
        theirs = [t for t in source.templates if t.embedding_space == plain]
        if centre is None or not theirs:
            return []
        moved = centred(np.stack([t.embedding for t in theirs]), centre)
        return [
            NewTemplate(
                embedding=embedding,
                embedding_space=self.space,
                quality=template.quality,
                source=template.source,
                content_sha256=template.content_sha256,
                captured=template.captured,
                accepted=template.accepted,
            )
            for embedding, template in zip(moved, theirs, strict=True)
        ]


def _manifest(settings: "Settings") -> "ModelManifest":
    from facerec.inference import ModelTask
    from facerec.models.store import ModelStore

    return ModelStore(settings.models_dir).require(settings.analysis.embedder, ModelTask.EMBEDDER)
