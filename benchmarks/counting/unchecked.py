"""The index as it would be without counting: the searches, and the state after them."""

from collections import defaultdict
from collections.abc import Sequence

from recognition.decision import Neighbour
from schemas.errors import DependencyDown
from streams.index.base import Query
from streams.index.reading import merged, read_state
from streams.index.redis import RedisIndex


class Unchecked(RedisIndex):
    """Trusts that the shards hold what the state says."""

    async def search(
        self, queries: Sequence[Query], k: int, epoch: str
    ) -> list[tuple[Neighbour, ...]]:
        """Ask all shards of all queries in one pipelined round."""
        asked = {(q.space, c): self._shard(q.space, c) for q in queries for c in q.clusters}
        shards = [[asked[q.space, c] for c in q.clusters] for q in queries]
        async with self._redis.pipeline(transaction=False) as pipe:
            for query, targets in zip(queries, shards, strict=True):
                for shard in targets:
                    pipe.execute_command(*shard.search(query.vector, k))
            pipe.get(self._state_key)
            *found, value = await pipe.execute()
        state = read_state(value)
        if state is None or state.epoch != epoch:
            raise DependencyDown("redis", "the index was made anew")
        nothing: defaultdict[str, int] = defaultdict(int)
        remaining = iter(found)
        return [merged(targets, remaining, k, nothing) for targets in shards]
