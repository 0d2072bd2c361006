"""The sample exercise: public-domain portraits that walk past two cameras, and the list that some are on."""
