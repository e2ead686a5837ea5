// What a client remembers of the audit log: the newest checkpoint that was proven to it, in a file that libcpis reads and writes too.
import { closeSync, constants, existsSync, fsyncSync, linkSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";

import { CpisError, LogForkedError, ProofError, StateError } from "./errors";
import { Checkpoint, heldOfPrevious, judgeGrowth, NO_CHECKPOINT, sha256 } from "./log";
import { Receipt } from "./messages";
import { readText, Trust } from "./trust";

interface Worth {
  held: Checkpoint;
  /** Of a checkpoint of the log before this one. */
  previousSize: number | null;
}

/** Whole under its name or not there. */
function writeBeside(path: string, text: string, place: (beside: string, path: string) => void): void {
  const beside = `${path}.${process.pid}.new`;
  const descriptor = openSync(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW, 0o600);
  writeSync(descriptor, text);
  fsyncSync(descriptor);
  closeSync(descriptor);
  place(beside, path);
}

/** Of one process at a time: node has no lock to hold against others. `who` holds it, in evidence. */
export class Memory {
  held = NO_CHECKPOINT;
  private note = "";

  constructor(private readonly trust: Trust, private readonly path: string | undefined, private readonly who: string) {
    if (path === undefined || !existsSync(path)) return;
    this.note = readText(path);
    this.held = this.worth(this.note, path).held;
  }

  /** The checkpoint of this receipt, if the log has only grown to it; else an error, with evidence kept. */
  take(checkpoint: Checkpoint, receipt: Receipt): void {
    try {
      judgeGrowth(this.held, checkpoint, receipt.growth);
      if (this.path !== undefined) this.write(this.path, checkpoint, receipt.checkpoint);
    } catch (error) {
      if (!(error instanceof CpisError)) throw new StateError(`${this.path}: ${(error as Error).message}; the newest checkpoint cannot be kept`);
      if (error instanceof LogForkedError) error.message += ". " + this.keepEvidence(error.message, receipt.checkpoint);
      throw error;
    }
    this.held = checkpoint;
    this.note = receipt.checkpoint;
  }

  private worth(note: string, path: string): Worth {
    if (this.trust.previous !== null)
      try {
        const held = this.trust.previous.open(note);
        return { held: heldOfPrevious(held, this.trust.succeeded), previousSize: held.size };
      } catch (error) {
        if (!(error instanceof ProofError)) throw error;
      }
    try {
      return { held: this.trust.log.open(note), previousSize: null };
    } catch {
      throw new StateError(`${path}: not a checkpoint of this audit log; keep it, and ask who runs the broker`);
    }
  }

  private write(path: string, checkpoint: Checkpoint, note: string): void {
    if (existsSync(path)) {
      const kept = readText(path);
      const { held, previousSize } = this.worth(kept, path);
      if (previousSize !== null) {
        linkSync(path, `${path}.previous-${previousSize}`);
      } else if (held.size === checkpoint.size && !held.root.equals(checkpoint.root)) {
        this.note = kept;
        throw new LogForkedError(`the log of ${checkpoint.size} records is not the one that another process here was shown`);
      } else if (held.size >= checkpoint.size) {
        return;
      }
    }
    writeBeside(path, note, renameSync);
  }

  // Both notes, as libcpis keeps them and `cpis audit compare` reads them.
  private keepEvidence(what: string, theirs: string): string {
    if (this.path === undefined) return "There is no checkpointFile, so nothing is kept of it; do not rely on this broker, and report it";
    const path = `${this.path}.evidence-${sha256(Buffer.from(this.note.split("\n\n")[0]!)).subarray(0, 8).toString("hex")}`;
    const text = `# Evidence about the audit log ${this.trust.log.origin}, kept by ${this.who}.\n# ${what}.\n\n` +
      `# What this system was shown:\n${this.note}\n# What this system then was shown:\n${theirs}`;
    try {
      writeBeside(path, text, (beside) => {
        if (!existsSync(path)) linkSync(beside, path);
        unlinkSync(beside);
      });
    } catch (error) {
      // The fork is what has to be told, whatever the disk says.
      return `${path} cannot be written (${(error as Error).message}): keep what is above, and ${this.path}; do not rely on this broker, and ` +
        `report it. This system was shown:\n${this.note}\nand then:\n${theirs}`;
    }
    return `Keep ${path}, which has both checkpoints, do not rely on this broker, and compare with what others hold (cpis audit compare)`;
  }
}
