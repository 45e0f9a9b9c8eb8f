/**
 * The shell's commands: Gogo functions in the scopes {@code vm}, {@code card}, {@code cpu}, {@code mmu}, {@code mem}, {@code exit} and {@code
 * monitor}. A command parses its arguments, calls the board's API and prints; what it knows of the board is {@code org.backplane.board.api}.
 *
 * <p>Every command is a public method {@code name(CommandSession, String[])} of a component. Its {@code Descriptor} says what it does; the one of
 * the argument array is its syntax, from which come the usage message, the help and the completion of arguments (see {@link
 * org.backplane.shell.Syntax}).
 */
package org.backplane.shell;
