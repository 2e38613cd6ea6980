"""Writes the given names of guard/pii/names.txt to standard output.

pip install faker==40.63.0 names==0.3.0; apt-get install wamerican wngerman wfrench wspanish
python3 given_names.py OLD > names.txt

OLD is a list whose names stay, whatever else they are: the first 574 names were chosen by
hand. The others come from Faker's lists and from the US census of 1990 (package names),
without words of English, French, German and Spanish, parts of the names of places, and the
words below.
"""

import importlib
import os
import pkgutil
import re
import sys
import zoneinfo

import faker.providers.address
import faker.providers.person
import names

LATIN = re.compile(r"^[A-ZÀ-ÖØ-ÞĀ-Ž][a-zà-öø-ÿā-ž]{2,}$")
OTHER = set(
    """
    Africa America Asia Britain Brittany Europe Holland Persia Java Sumatra Maria Saint Santa San Los Las Van Von Den Der Die Das
    Preston Clifton Dover Oxford Cambridge Bristol Windsor Stanford Princeton Yale Harvard Apple Google Microsoft Tesla Intel Oracle
    Cisco Nokia Siemens Bosch Mercedes Porsche Ford Dell Lenovo Python Ruby Swift Rust Perl Scala Julia Pascal Ada Elm Haskell Kotlin
    Sonnet Opus Claude Gemini Alexa Siri Cortana Watson January February March April May June July August September October November
    December Monday Tuesday Wednesday Thursday Friday Saturday Sunday Easter Christmas Christian Islam Jesus Buddha Moses Mohammed
    Allah Angel Angels Atlanta Arlington Aston Essex Sussex Surrey Kent Devon Medina Angeles Novi Boston Seattle Chicago Miami Tampa
    Newark Buffalo Cincinnati Detroit Portland Oakland Sacramento Brisbane Hobart Cairo Bombay Madras Calcutta Osaka Kyoto Nagasaki
    Hong Dow Nur Star Prince Princess Queen King Duke Earl Baron Major General Sultan Shah Imam Pastor Pope Bishop Bell Dollar Penny
    Cash Sterling Mercury Venus Mars Jupiter Saturn Pluto Apollo Zeus Thor Odin Loki Hera Athena Nike Adidas Honda Toyota Suzuki Yamaha
    Kawasaki Mazda Romeo Delta Alpha Omega Sigma Lambda Kappa Zeta Theta Epsilon Gamma Beta Iota
    """.split()
)


def providers(package):
    for module in pkgutil.iter_modules(package.__path__):
        provider = getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "Provider", None)
        if provider:
            yield provider


def given():
    lists = ("first_names", "first_names_male", "first_names_female", "first_names_nonbinary", "first_romanized_names")
    for provider in providers(faker.providers.person):
        for name in lists:
            value = getattr(provider, name, None)
            if value and not isinstance(value, property):
                yield from value
    folder = os.path.dirname(names.__file__)
    for name in ("dist.female.first", "dist.male.first"):
        with open(os.path.join(folder, name)) as file:
            for line in file:
                word, share = line.split()[:2]
                if float(share) >= 0.004:
                    yield word.capitalize()


def places():
    for zone in zoneinfo.available_timezones():
        yield from re.split(r"[/_\-]", zone)
    kinds = re.compile(r"cit|state|countr|provin|region|town|depart|county|municip|district|prefect|island")
    for provider in providers(faker.providers.address):
        for name in dir(provider):
            value = getattr(provider, name)
            if not kinds.search(name) or re.search("prefix|suffix|format", name):
                continue
            if isinstance(value, dict):
                value = list(value.values())
            if isinstance(value, (list, tuple)):
                yield from re.split(r"[^\w]+", str(value))


def words():
    for name in ("american-english", "french", "spanish", "ngerman"):
        with open(f"/usr/share/dict/{name}", encoding="utf-8") as file:
            yield from (line.strip() for line in file if line[0].islower())


dictionary, left_out = set(words()), OTHER | set(places())
with open(sys.argv[1], encoding="utf-8") as file:
    chosen = set(file.read().split())
chosen |= {n for n in given() if LATIN.match(n) and n.lower() not in dictionary and n not in left_out}
print("\n".join(sorted(chosen)))
