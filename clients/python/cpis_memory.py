"""What a client remembers of the audit log: the newest checkpoint that was proven to it, in a file that libcpis reads and writes too."""
import contextlib
import fcntl
import os

from cpis_errors import LogForked, ProofError, StateError
from cpis_log import held_of_previous, judge_growth, sha256
from cpis_trust import read

NOTHING = (0, b"")


def write_beside(path, text, place):
    """Whole under its name or not there; `place` is os.replace or os.link."""
    beside = f"{path}.{os.getpid()}.new"
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    place(beside, path)


class Memory:
    """`held` is (size, root) of what the log must begin with; `path` None: it lives as long as the client. `who` holds it, in evidence."""

    def __init__(self, trust, path, who):
        self.trust, self.path, self.who = trust, path, who
        self.held, self.note = NOTHING, ""
        if path is not None and os.path.exists(path):
            self.note = read(path).decode(errors="replace")
            self.held, _ = self._worth(self.note)

    def take(self, checkpoint, receipt):
        """The checkpoint of this receipt, if the log has only grown to it; LogShortened or LogForked, with evidence kept."""
        try:
            judge_growth(self.held, checkpoint, receipt.growth)
            if self.path is not None:
                with open(os.open(self.path + ".writing", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "wb") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    self._write(checkpoint, receipt.checkpoint)
        except OSError as error:
            raise StateError(f"{self.path}: {error.strerror}; the newest checkpoint cannot be kept") from error
        except LogForked as error:
            raise type(error)(f"{error}. {self._keep_evidence(str(error), receipt.checkpoint)}") from error
        self.held, self.note = checkpoint, receipt.checkpoint

    def _worth(self, note):
        """What a remembered note proves of this log, and its size if it is of the log before."""
        if self.trust.previous is not None:
            with contextlib.suppress(ProofError):
                held = self.trust.previous.open(note.encode())
                return held_of_previous(held, self.trust.succeeded), held[0]
        try:
            return self.trust.log.open(note.encode()), None
        except ProofError as error:
            raise StateError(f"{self.path}: not a checkpoint of this audit log; keep it, and ask who runs the broker") from error

    def _write(self, checkpoint, note):
        stored, previous_size = NOTHING, None
        if os.path.exists(self.path):
            kept = read(self.path).decode(errors="replace")
            stored, previous_size = self._worth(kept)
        if previous_size is not None:
            os.link(self.path, f"{self.path}.previous-{previous_size}")
            stored = NOTHING
        # Another process of this system may have been shown another log meanwhile.
        if stored[0] == checkpoint[0] and stored[1] != checkpoint[1]:
            self.held, self.note = stored, kept
            raise LogForked(f"the log of {checkpoint[0]} records is not the one that another process here was shown")
        if stored[0] < checkpoint[0]:
            write_beside(self.path, note, os.replace)

    def _keep_evidence(self, what, theirs):
        """Both notes, as libcpis keeps them and `cpis audit compare` reads them."""
        if self.path is None:
            return "There is no checkpoint_file, so nothing is kept of it; do not rely on this broker, and report it"
        path = f"{self.path}.evidence-{sha256(self.note.partition(chr(10) * 2)[0].encode())[:8].hex()}"
        text = (f"# Evidence about the audit log {self.trust.log.origin}, kept by {self.who[1]} of {self.who[0]}.\n# {what}.\n\n"
                f"# What this system was shown:\n{self.note}\n# What this system then was shown:\n{theirs}")
        try:
            with contextlib.suppress(FileExistsError):
                write_beside(path, text, os.link)
        except OSError as error:
            # The fork is what has to be told, whatever the disk says.
            return (f"{path} cannot be written ({error.strerror}): keep what is above, and {self.path}; do not rely on this broker, and report "
                    f"it. This system was shown:\n{self.note}\nand then:\n{theirs}")
        finally:
            with contextlib.suppress(OSError):
                os.remove(f"{path}.{os.getpid()}.new")
        return f"Keep {path}, which has both checkpoints, do not rely on this broker, and compare with what others hold (cpis audit compare)"
