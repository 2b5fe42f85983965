"""Mails and text messages to customers, apart from the order process: a mail server that is down stops nothing else."""
