"""Writes the Parquet files beside it: `python make-parquet.py`, with pyarrow."""

from pathlib import Path

import pyarrow
import pyarrow.parquet

here = Path(__file__).parent
rows = [
    {
        "id": 2**53 + 1 if number == 0 else number,
        "messages": [
            {"role": "user", "content": f"question {number} ö"},
            {"role": "assistant", "content": None if number == 6 else f"answer {number}"},
        ],
        "score": number / 2,
    }
    for number in range(7)
]
table = pyarrow.Table.from_pylist(rows)
for compression in ["none", "snappy", "gzip", "brotli", "zstd"]:
    pyarrow.parquet.write_table(table, here / f"{compression}.parquet", compression=compression, row_group_size=3)

# Forty kilobytes that stand for more rows than one group may have.
many = pyarrow.table({"text": pyarrow.nulls(2**24 + 1, pyarrow.string())})
pyarrow.parquet.write_table(many, here / "many.parquet", compression="gzip", row_group_size=2**24 + 1)
