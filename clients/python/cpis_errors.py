"""What can go wrong, as exceptions."""
import cpis_pb2 as pb


class Error(Exception):
    """What was wrong, where, and what to do."""


class Usage(Error):
    """A file or value of ours cannot be used; nothing was sent."""


class CertificateError(Error):
    """A certificate does not hold by the trust bundle; `code` is a word for it, as in certs/certs_status.h."""

    def __init__(self, sentence, code="MALFORMED"):
        super().__init__(sentence)
        self.code = code


class NotAdmitted(Error):
    """The broker does not let this system's key in."""


class NoAnswer(Error):
    """No answer came before the deadline; the request may have been carried out. Call again with the same request_id."""


class ProtocolError(Error):
    """The broker's reply is not well-formed."""


class ProofError(Error):
    """The reply is not proven to be in the audit log: do not show it."""


class StateError(Error):
    """The remembered checkpoint cannot be read or written; what was asked may have been done."""


class LogForked(ProofError):
    """The log is not a continuation of the one that was remembered: keep the checkpoint file, and report it."""


class LogShortened(LogForked):
    """The log has fewer records than it had."""


class Refused(Error):
    """The broker said no, on record; `reply` has outcome, reason_code and reason."""

    def __init__(self, reply):
        super().__init__(f"{pb.Outcome.Name(reply.outcome)} {reply.reason} ({reply.reason_code})")
        self.reply = reply
