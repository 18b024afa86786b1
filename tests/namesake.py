"""What people say with the word “claro”: of the telephone company of that name, and of all else that is clear.

The texts are made for the tests. “Claro” is a brand of many countries, and one of the commonest words of Spanish and
Portuguese; in English it is a cigar, a walnut and a county.
"""

from __future__ import annotations

MEANT = (
    "Claro me cobró dos veces la recarga y nadie contesta",
    "Llevo tres días sin señal de Claro en Quetzaltenango",
    "El internet de Claro anda excelente desde que pusieron fibra",
    "¿Alguien sabe cómo cancelar un plan de Claro?",
    "Me cambié de Claro a la competencia por el precio del plan",
    "Claro Video no abre en mi tele desde la actualización",
    "La atención de Claro en la tienda del centro fue muy buena",
    "Portabilidad a Claro: tardó cuatro horas y todo bien",
    "Está claro que Claro no piensa arreglar la señal de mi barrio",
    "@ClaroColombia otra vez sin datos móviles",
    "A Claro aumentou meu plano sem avisar",
    "Internet da Claro caiu de novo em Campinas",
    "Atendimento da Claro resolveu em cinco minutos, gostei",
    "Sinal da Claro péssimo no metrô",
    "Claro's roaming worked everywhere in Peru",
    "My prepaid Claro SIM stopped working in Costa Rica",
)
NOT_MEANT = (
    "Claro que sí, mañana nos vemos en la plaza",
    "Claro que no voy a ir a esa fiesta",
    "Está claro que el equipo necesita un delantero",
    "Lo dejó claro en la entrevista: no renuncia",
    "¡Claro! Te mando la receta por la tarde",
    "Azul claro o azul marino, ¿cuál me queda mejor?",
    "Pinté la sala de verde claro y quedó preciosa",
    "No me queda claro cómo se llena el formulario",
    "Hay que hablar claro con los vecinos",
    "Claro está, depende del clima",
    "Un café con leche más claro, por favor",
    "Que quede claro: la cena la paga él",
    "Claro que sim, pode contar comigo",
    "Está claro que vai chover amanhã",
    "Ficou claro que ninguém leu o contrato",
    "Prefiro um tom mais claro para a parede",
    "É claro que eu te amo",
    "Cielo claro y poco viento para el fin de semana",
    "This claro cigar is mild and creamy",
    "A gunstock of claro walnut with a fine grain",
)
EXCLUDED = (
    # “claro que” and what else only ever says that something is clear, but where the company stands beside it
    '("claro que" OR "claro está" OR "quede claro" OR "queda claro" OR "está claro" OR "dejó claro" OR "ficou claro" '
    'OR "é claro" OR "hablar claro") -(señal OR plan OR internet OR recarga OR sinal OR plano)',
    # shades of a colour, skies, cigars and wood
    '"azul claro" OR "verde claro" OR "cielo claro" OR "más claro" OR "mais claro" OR claro ONEAR/0 (cigar OR walnut)',
)
"""The exclusions of docs/relevance.md."""
