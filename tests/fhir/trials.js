// The tests of a script, one after the other: counted, each with a deadline, and told as run.sh wants it.
"use strict";

class Trials {
  // How long one may take, and what else is said of an error.
  constructor(deadlineMs, more = () => "") { this.deadlineMs = deadlineMs; this.more = more; this.passed = 0; this.failed = 0; }

  async test(sentence, run) {
    let timer;
    const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`nothing came of it in ${this.deadlineMs} ms`)), this.deadlineMs); });
    try {
      await Promise.race([run(), late]);
      this.passed++;
    } catch (error) {
      this.failed++;
      console.log(`FAILED ${sentence}\n${error.stack}${this.more(error)}`);
    } finally {
      clearTimeout(timer);
    }
  }

  // The last line, and the process's exit code.
  end() {
    const all = this.passed + this.failed;
    console.log(`${Math.floor(100 * this.passed / (all || 1))}%: Checks: ${all}, Failures: ${this.failed}, Errors: 0`);
    process.exitCode = this.failed === 0 && all > 0 ? 0 : 1;
  }
}

module.exports = {Trials};
