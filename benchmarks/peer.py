"""A peer: the way of a frame by hand, without conditioning, provenance, retries or dead letters."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import simplejpeg
from confluent_kafka import Consumer, Message, Producer
from numpy.typing import NDArray
from redis import Redis

from schemas.settings import load_settings
from schemas.topics import FRAMES, IDENTIFICATIONS
from workers.model.malloc import keep_freed_memory
from workers.service.embedder import load

COUNT, BATCH, ENTRIES = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
ASK = ["FT.SEARCH", "peer", "*=>[KNN 10 @vector $probe AS distance]", "SORTBY", "distance"]
ASK += ["RETURN", "2", "identity", "distance", "DIALECT", "2", "PARAMS", "2", "probe"]

keep_freed_memory()
cv2.setNumThreads(1)
settings = load_settings()
model, lanes = load(settings)
servers = settings.need_kafka()
redis = Redis.from_url(str(settings.redis_url), protocol=2)
producer = Producer({"bootstrap.servers": servers, "linger.ms": 5})
reads = {"group.id": "peer", "auto.offset.reset": "earliest", "bootstrap.servers": servers}
consumer = Consumer(reads)


def fill() -> None:
    """Put random entries into an index."""
    field = ["VECTOR", "FLAT", "6", "TYPE", "FLOAT32", "DIM", str(model.dimension)]
    create = ["FT.CREATE", "peer", "PREFIX", "1", "peer:", "SCHEMA", "vector"]
    redis.execute_command(*create, *field, "DISTANCE_METRIC", "COSINE")
    vectors = np.random.default_rng(0).normal(size=(ENTRIES, model.dimension)).astype("<f4")
    with redis.pipeline(transaction=False) as pipe:
        for number, vector in enumerate(vectors):
            pipe.hset(f"peer:{number}", mapping={"identity": number, "vector": vector.tobytes()})
        pipe.execute()


def pixels(message: Message) -> NDArray[np.uint8]:
    """Decode a frame to the size of the model's input."""
    height, width = model.input_size
    image = simplejpeg.decode_jpeg(message.value(), "RGB", min_height=height, min_width=width)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def answer(messages: list[Message]) -> None:
    """Take some frames all the way."""
    vectors = model.embed(np.stack([pixels(message) for message in messages]))
    with redis.pipeline(transaction=False) as pipe:
        for vector in vectors:
            pipe.execute_command(*ASK, vector.tobytes())
        rows = pipe.execute()
    for message, (_, nearest, fields, *_rest) in zip(messages, rows, strict=True):
        said = {"entry": nearest.decode(), "fields": [field.decode() for field in fields]}
        producer.produce(settings.topic(IDENTIFICATIONS), json.dumps(said), message.key())


fill()
consumer.subscribe([settings.topic(FRAMES)])
done, began, spent = 0, 0.0, time.process_time()
with ThreadPoolExecutor(lanes) as pool:
    while done < COUNT:
        messages = consumer.consume(BATCH * lanes, 0.5)
        began, spent = (began, spent) if done else (time.monotonic(), time.process_time())
        list(pool.map(answer, [messages[at::lanes] for at in range(lanes) if messages[at::lanes]]))
        producer.poll(0)
        done += len(messages)
producer.flush()
took, spent = time.monotonic() - began, time.process_time() - spent
print(json.dumps({"frames_per_second": done / took, "processor_ms": 1000 * spent / done}))
