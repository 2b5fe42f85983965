"""The application on the adapters of Azure, all of them over sockets against their stand-ins."""
