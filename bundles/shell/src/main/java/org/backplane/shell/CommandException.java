package org.backplane.shell;

/** A command that failed. The message is the one line for the user, also where a shell prints the exception itself. */
final class CommandException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    CommandException(String message) {
        super(message);
    }

    CommandException(String message, Throwable cause) {
        super(message, cause);
    }

    @Override
    public String toString() {
        return getMessage();
    }
}
