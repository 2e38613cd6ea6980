"""Writes pydantic.jsonl: schemas that pydantic makes, instances, and whether
pydantic takes them (strict mode, JSON input). Then checks go_instances.jsonl,
if it is there: what the Go side made from its own schemas of the same models.

    python -m venv /tmp/v && /tmp/v/bin/pip install pydantic==2.14.3
    /tmp/v/bin/python gen.py
"""
import datetime as dt, enum, json, pathlib, uuid
from typing import Annotated, Literal, Optional, Union
import pydantic
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

class Speed(str, enum.Enum):
    slow = "slow"; fast = "fast"

class Address(BaseModel):
    model_config = ConfigDict(extra="forbid")
    street: str = Field(min_length=1, max_length=40)
    zip: str = Field(pattern=r"^\d{5}$")

class Cat(BaseModel):
    kind: Literal["cat"]; lives: int = Field(ge=1, le=9)

class Dog(BaseModel):
    kind: Literal["dog"]; barks: bool

class Tree(BaseModel):
    name: str; children: list["Tree"] = []

class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")
    city: str = Field(description="where it goes", min_length=1)
    count: int = Field(ge=1, le=99)
    price: float = Field(gt=0)
    speed: Optional[Speed] = None
    day: dt.date
    tags: list[str] = Field(max_length=3)

class Person(BaseModel):
    name: str; age: Optional[int]; address: Address
    scores: dict[str, float]; born: dt.datetime; id: uuid.UUID
    pair: tuple[int, str]

class Owner(BaseModel):
    pet: Annotated[Union[Cat, Dog], Field(discriminator="kind")]
    anything: Union[int, str, None] = None

ok_person = {"name": "Ana", "age": None, "address": {"street": "A", "zip": "12345"}, "scores": {"a": 1.5}, "born": "2026-01-31T12:00:00Z", "id": "123e4567-e89b-12d3-a456-426614174000", "pair": [1, "a"]}
ok_order = {"city": "Oslo", "count": 2, "price": 9.5, "speed": "fast", "day": "2026-01-31", "tags": ["a"]}
def without(d, k): return {x: y for x, y in d.items() if x != k}
CASES = {
    Order: [ok_order, without(ok_order, "speed"), {**ok_order, "speed": None}, without(ok_order, "city"), {**ok_order, "count": 0}, {**ok_order, "count": 100}, {**ok_order, "count": 2.5}, {**ok_order, "count": "2"}, {**ok_order, "price": 0}, {**ok_order, "speed": "warp"}, {**ok_order, "day": "tomorrow"}, {**ok_order, "tags": ["a"] * 4}, {**ok_order, "tags": [1]}, {**ok_order, "more": 1}, {**ok_order, "city": ""}, [], None],
    Person: [ok_person, {**ok_person, "age": 3}, without(ok_person, "age"), {**ok_person, "address": {"street": "", "zip": "12345"}}, {**ok_person, "address": {"street": "A", "zip": "1234"}}, {**ok_person, "address": {"street": "A", "zip": "12345", "x": 1}}, {**ok_person, "scores": {"a": "b"}}, {**ok_person, "born": "yesterday"}, {**ok_person, "id": "7"}, {**ok_person, "pair": [1]}, {**ok_person, "pair": [1, "a", 2]}, {**ok_person, "pair": ["a", 1]}, {**ok_person, "extra": 1}],
    Owner: [{"pet": {"kind": "cat", "lives": 9}}, {"pet": {"kind": "dog", "barks": True}}, {"pet": {"kind": "cat", "barks": True}}, {"pet": {"kind": "cow"}}, {"pet": {"kind": "cat", "lives": 10}}, {"pet": {}}, {"pet": {"kind": "dog", "barks": True}, "anything": "x"}, {"pet": {"kind": "dog", "barks": True}, "anything": []}],
    Tree: [{"name": "a"}, {"name": "a", "children": [{"name": "b", "children": []}]}, {"name": "a", "children": [{"children": []}]}, {"name": "a", "children": [1]}],
    list[Address]: [[], [{"street": "A", "zip": "12345"}], [{"street": "A"}], {"street": "A", "zip": "12345"}],
}

def takes(model, instance):
    try:
        TypeAdapter(model).validate_json(json.dumps(instance), strict=True); return True
    except pydantic.ValidationError:
        return False

here = pathlib.Path(__file__).parent
with open(here / "pydantic.jsonl", "w") as f:
    n = 0
    for model, instances in CASES.items():
        for mode in ("validation", "serialization"):
            schema = TypeAdapter(model).json_schema(mode=mode)
            if mode == "serialization" and model is not Order:
                continue
            for i in instances:
                valid = takes(model, i)
                if mode == "serialization" and i and "speed" not in i:
                    continue  # a default is always written
                f.write(json.dumps({"id": f"pydantic-{n}", "version": pydantic.VERSION, "mode": mode, "schema": schema, "instance": i, "valid": valid}) + "\n"); n += 1

path = here / "go_instances.jsonl"
if path.exists():
    bad = 0
    for line in open(path):
        row = json.loads(line)
        if takes(Order, row["instance"]) != row["valid"]:
            print("differs:", line); bad += 1
    print("go_instances.jsonl:", "differs" if bad else "agrees", "with pydantic", pydantic.VERSION)
