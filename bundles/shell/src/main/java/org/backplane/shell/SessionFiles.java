package org.backplane.shell;

import java.nio.file.Path;
import org.apache.felix.service.command.CommandSession;

/** File names as users give them. */
final class SessionFiles {
    private SessionFiles() {}

    /** Relative to where the session is, which {@code cd} may have changed. */
    static Path resolve(CommandSession session, String file) {
        Path here = session.currentDir();
        return here == null ? Path.of(file) : here.resolve(file);
    }
}
