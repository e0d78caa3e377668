"""Enrolling people from picture files, as ``facerec enroll`` does."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from time import monotonic

from facerec.analysis.analyzer import FaceAnalyzer
from facerec.analysis.image_decoding import read_picture_file
from facerec.cli.enrolment_batch import THEIRS, EnrolmentBatch, Prepared
from facerec.cli.enrolment_result import EnrolmentResult, PictureRemark, problem_of
from facerec.cli.people_to_enrol import Person
from facerec.cli.pictures_ahead import PicturesAhead
from facerec.decision.enrolment import assess_picture
from facerec.decision.enrolment_check import EnrolmentCheck, Judgement, Overrides
from facerec.decision.enrolment_rules import Objection
from facerec.errors import GalleryError, ImageError
from facerec.gallery.gallery import Gallery
from facerec.gallery.identifiers import check_display_name
from facerec.gallery.profile import NewProfile, NewTemplate, Profile
from facerec.settings import Settings

__all__ = ["Enroller", "EnrolmentOptions"]

UNREADABLE = "unreadable"
"""The reason, beside those of `facerec.decision`, for which a file is rejected."""
_NO_PICTURES = "there are no pictures"
STORE_EVERY_S = 2.0
"""People who were analysed are stored together, at the latest so long after the first of them: one
transaction a person would cost a sync of the disk each, and this much work is lost in a crash."""


@dataclass(frozen=True)
class EnrolmentOptions:
    """How to enrol.

    Attributes:
        galleries: Galleries to put people into who do not say which.
        consent: Where the evidence of consent is.
        largest: Take the largest face where a picture shows several.
        accept_poor: Take the largest face whatever its quality.
        overrides: Which other objections are overridden.
    """

    galleries: tuple[str, ...]
    consent: str = ""
    largest: bool = False
    accept_poor: bool = False
    overrides: Overrides = field(default_factory=Overrides)


@dataclass(frozen=True, eq=False)
class _Read:
    """A person's pictures: templates, each with its file, and what speaks against some."""

    templates: tuple[NewTemplate, ...]
    files: tuple[Path, ...]
    rejected: tuple[PictureRemark, ...]


class Enroller:
    """Enrols people one after the other with the same networks, gallery and options."""

    def __init__(
        self,
        settings: Settings,
        analyzer: FaceAnalyzer,
        gallery: Gallery,
        options: EnrolmentOptions,
        check: EnrolmentCheck,
    ) -> None:
        self._settings = settings
        self._analyzer = analyzer
        self._gallery = gallery
        self._options = options
        self._check = check
        self._known_galleries: set[str] = set()
        self._pictures = PicturesAhead(settings.analysis.max_image_pixels)

    def enrol(self, person: Person) -> EnrolmentResult:
        """Enrol one person, or say why not; see `enrol_all`."""
        return next(iter(self.enrol_all([person])))

    def enrol_all(
        self, people: Iterable[Person], on_person: Callable[[Person], None] = lambda _: None
    ) -> Iterator[EnrolmentResult]:
        """Enrol people in turn and yield what came of each, in their order, once it is on the disk.

        Killed at any moment, everybody whose result was yielded is enrolled; the same again
        enrols the others.

        Args:
            people: Whom.
            on_person: Told of each one whose pictures were analysed.

        Raises:
            GalleryError: the gallery cannot store anybody, for instance because the disk is full.
        """
        batch = EnrolmentBatch(self._gallery)
        since = monotonic()
        try:
            for person, following in _with_first_picture_of_next(people):
                if not len(batch):
                    since = monotonic()
                prepared = self._prepared(person, batch, following)
                batch.add(prepared)
                on_person(person)
                if monotonic() - since >= STORE_EVERY_S:
                    yield from batch.store()
        except KeyboardInterrupt:
            yield from batch.store()
            raise
        finally:
            self._pictures.forget()
        yield from batch.store()

    def add_pictures(self, profile_id: str, pictures: Sequence[Path]) -> EnrolmentResult:
        """Add pictures to somebody who is enrolled; those that are held already change nothing.

        Raises:
            ProfileNotFoundError: no profile has that id.
            GalleryError: the gallery cannot store them.
        """
        person = Person(self._gallery.get(profile_id).name, tuple(pictures), galleries=())
        return self._added(person, profile_id, *self._hashes(person))

    def _prepared(self, person: Person, batch: EnrolmentBatch, following: Path | None) -> Prepared:
        """Do all for a person but store them, unless they are enrolled already."""
        if person.problem:
            return Prepared(EnrolmentResult(person, None, problem=person.problem))
        try:
            person = replace(person, name=check_display_name(person.name))
        except GalleryError as error:
            return Prepared(EnrolmentResult(person, None, problem=str(error)))
        try:
            self._require_galleries(person)
            return self._of_pictures(person, batch, following)
        except THEIRS as error:
            return Prepared(EnrolmentResult(person, None, problem=str(error)))

    def _require_galleries(self, person: Person) -> None:
        galleries = self._galleries(person)
        if not self._known_galleries.issuperset(galleries):  # storing asks again
            self._gallery.require_galleries(galleries)
            self._known_galleries.update(galleries)

    def _of_pictures(
        self, person: Person, batch: EnrolmentBatch, following: Path | None
    ) -> Prepared:
        hashes, unreadable = self._hashes(person)
        contents = frozenset(hashes)
        if batch.may_hold(person):
            batch.flush()
        profile_id = self._enrolled_before(person, contents)
        if profile_id is not None:
            return Prepared(self._added(person, profile_id, hashes, unreadable))
        read = self._read(hashes, unreadable, following)
        if not read.templates:
            problem = "none of the pictures can be used" if person.pictures else _NO_PICTURES
            return Prepared(EnrolmentResult(person, None, 0, read.rejected, problem=problem))
        if batch.resembles(read.templates, self._check.least_of_note(len(read.templates))):
            batch.flush()  # so that whoever waits is found among the enrolled
        judged = self._judge(person, read, None)
        newcomer = None if judged.refusal else self._new(person, judged)
        return Prepared(_result(person, judged, read), newcomer, judged.against)

    def _hashes(self, person: Person) -> tuple[dict[str, Path], list[PictureRemark]]:
        """Return the first file of each content by its SHA-256, and what cannot be read."""
        files: dict[str, Path] = {}
        unreadable: list[PictureRemark] = []
        for path in person.pictures:
            try:
                data = read_picture_file(path, max_pixels=self._settings.analysis.max_image_pixels)
                files.setdefault(hashlib.sha256(data).hexdigest(), path)
            except ImageError as error:
                unreadable.append(PictureRemark(path, (UNREADABLE,), str(error)))
        return files, unreadable

    def _enrolled_before(self, person: Person, contents: frozenset[str]) -> str | None:
        """Return who has the external id, or the name, the id if one is given, and a picture."""
        if person.external_id:
            return self._gallery.find_external(person.external_id)
        for profile_id, content in self._gallery.enrolled_content(person.name).items():
            if content & contents and person.profile_id in (None, profile_id):
                return profile_id
        return None

    def _read(
        self,
        hashes: dict[str, Path],
        unreadable: Sequence[PictureRemark],
        following: Path | None = None,
    ) -> _Read:
        """Make a template of each picture that is fit for it; `following` comes after them."""
        templates: list[NewTemplate] = []
        files: list[Path] = []
        rejected = list(unreadable)
        after = [*hashes.values(), following][1:]
        for (sha256, path), next_path in zip(hashes.items(), after, strict=True):
            made = self._template(path, sha256, next_path)
            if isinstance(made, PictureRemark):
                rejected.append(made)
            else:
                templates.append(made)
                files.append(path)
        return _Read(tuple(templates), tuple(files), tuple(rejected))

    def _template(
        self, path: Path, sha256: str, following: Path | None
    ) -> NewTemplate | PictureRemark:
        """Make a template of a picture while the one that comes after it is read."""
        try:
            opened = self._pictures.take(path, sha256)
        except ImageError as error:
            problem = str(error) if str(path) in str(error) else f"{path}: {error}"
            return PictureRemark(path, (UNREADABLE,), problem)
        if following is not None:
            self._pictures.begin(following)
        picture = assess_picture(
            self._analyzer,
            opened.image_bgr,
            source=path.name,
            content_sha256=opened.sha256,
            min_quality=self._settings.decision.min_quality,
            largest=self._options.largest,
            force=self._options.accept_poor,
        )
        if picture.template is None:
            return PictureRemark(path, tuple(reason.value for reason in picture.reasons))
        return self._with_image(picture.template, opened.data)

    def _with_image(self, template: NewTemplate, data: bytes) -> NewTemplate:
        return replace(template, image=data) if self._settings.enrolment.keep_images else template

    def _judge(self, person: Person, read: _Read, profile_id: str | None) -> Judgement:
        return self._check.judge(
            read.templates,
            name=person.name,
            profile_id=profile_id,
            overrides=self._options.overrides,
        )

    def _new(self, person: Person, judged: Judgement) -> NewProfile:
        return NewProfile(
            name=person.name,
            templates=judged.templates,
            galleries=self._galleries(person),
            profile_id=person.profile_id,
            consent=self._options.consent if person.consent is None else person.consent,
            external_id=person.external_id,
            attributes=person.attributes,
            valid_from=person.valid_from,
            valid_until=person.valid_until,
        )

    def _added(
        self,
        person: Person,
        profile_id: str,
        hashes: dict[str, Path],
        unreadable: Sequence[PictureRemark],
    ) -> EnrolmentResult:
        """Add to a profile what it lacks; nothing else of it is changed."""
        known = self._gallery.enrolling.content_of(profile_id)
        new = {sha256: path for sha256, path in hashes.items() if sha256 not in known}
        read = self._read(new, unreadable)
        result = EnrolmentResult(person, profile_id, rejected=read.rejected)
        if read.templates:
            judged = self._judge(person, read, profile_id)
            result = _result(person, judged, read)
            if judged.refusal:
                return result
            self._gallery.add_templates(profile_id, judged.templates)
        profile = self._gallery.get(profile_id)
        if not set(self._galleries(person)) <= set(profile.galleries):
            profile = self._gallery.add_to_galleries(profile_id, self._galleries(person))
        return replace(
            result,
            profile_id=profile_id,
            templates=profile.templates,
            already_enrolled=not read.templates,
            differs=_differences(person, profile),
        )

    def _galleries(self, person: Person) -> tuple[str, ...]:
        return self._options.galleries if person.galleries is None else person.galleries


def _with_first_picture_of_next(
    people: Iterable[Person],
) -> Iterator[tuple[Person, Path | None]]:
    """Yield each person and the first picture of who comes next, where that is known by now."""
    known = people if isinstance(people, Sequence) else ()
    for person, following in zip_longest(people, known[1:]):
        yield person, following.pictures[0] if following and following.pictures else None


def _result(person: Person, judged: Judgement, read: _Read) -> EnrolmentResult:
    """Return what came of a person before they are stored."""
    stands = Objection.NOT_LIKE_THE_OTHERS
    left_out = () if stands in judged.accepted else judged.outliers
    outliers = tuple(PictureRemark(read.files[i], (stands.value,)) for i in left_out)
    kept = [file for i, file in enumerate(read.files) if i not in left_out]
    accepted = tuple(
        PictureRemark(file, template.accepted)
        for file, template in zip(kept, judged.templates, strict=False)
        if template.accepted
    )
    return EnrolmentResult(
        person,
        None,
        len(judged.templates),
        rejected=read.rejected + outliers,
        accepted=accepted,
        refusal=judged.refusal,
        problem=problem_of(judged),
        doubles=judged.doubles,
        look_alikes=judged.look_alikes,
        same_name=judged.same_name,
        compared=judged.compared,
    )


def _differences(person: Person, profile: Profile) -> tuple[str, ...]:
    """Name what a profile holds otherwise than is said of the person now."""
    differs = {
        "name": person.name != profile.name,
        "profile_id": person.profile_id not in (None, profile.profile_id),
        "attributes": any(profile.attributes.get(k) != v for k, v in person.attributes.items()),
        "valid_from": person.valid_from not in (None, profile.valid_from),
        "valid_until": person.valid_until not in (None, profile.valid_until),
    }
    return tuple(what for what, different in differs.items() if different)
