/** Lets one at a time go on, in the order in which they asked. */
export class Turns {
  private last: Promise<void> = Promise.resolve();
  private end: () => void = () => {};

  /** Waits for its turn, and gives the function that ends it. */
  async begin(): Promise<() => void> {
    const before = this.last;
    let end: () => void = () => {};
    this.last = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    this.end = end;
    return () => this.end();
  }

  /** Ends the turn for as long as the work takes, and waits for another one then. To be called by whose turn it is. */
  async pause<T>(work: () => Promise<T>): Promise<T> {
    this.end();
    try {
      return await work();
    } finally {
      await this.begin();
    }
  }
}
