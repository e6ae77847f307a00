/** First bytes of every record: the format's name and number. Documented in docs/formats/record.md. */
export const RECORD_MAGIC = Buffer.from('mlvrecd\x01', 'latin1');

/** What a record holds; the values are the bytes of the format. */
export const RECORD_KIND = { inline: 0x69, chunks: 0x63, tree: 0x74 } as const;

/** How a tree's record locates one file; a value above `packed` is the number of the file's chunks plus one. */
export const LOCATION = {
  /** The file has a record of its own. */
  own: 0,
  /** The file is empty. */
  empty: 1,
  /** The file is one chunk. */
  packed: 2,
} as const;
