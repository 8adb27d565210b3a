"""fakeredis, run by the bench `peers`: a JSON array of a command's words a line on standard input,
`+` or `-` and the error's first line on standard output.

    pip install 'fakeredis[lua]'
"""

import json
import sys

import fakeredis


def main() -> None:
    server = fakeredis.FakeStrictRedis()
    for line in sys.stdin:
        try:
            server.execute_command(*json.loads(line))
            print("+", flush=True)
        except Exception as error:  # whatever a mock raises is its answer
            print("-" + (str(error).splitlines() or ["?"])[0], flush=True)


main()
