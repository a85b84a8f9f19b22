"""How GPAW is built here: with a C++ compiler alone, serial, its own functionals (PBE, LDA, ...).

Hybrid functionals need libxc: install Debian's libxc-dev and write your own siteconfig; see GPAW's
installation page. `interohm doctor` says what the installed GPAW can do.
"""

compiler = "g++"
mpi = False
noblas = True
nolibxc = True
libraries = []
