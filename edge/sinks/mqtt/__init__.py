"""An MQTT broker, and by it Home Assistant: ``--to mqtt://HOST/TOPIC`` and ``mqtts://``.

``address`` reads how it was named, ``sink`` is told the decisions, ``outbox`` counts the records on
their way, ``board`` knows the state of now, ``discovery`` describes the device to Home Assistant,
``client`` holds the connection, ``troubles`` says what is wrong with it.
"""
