"""What is written in C, where it is compiled. Everything works the same without it, slower."""
