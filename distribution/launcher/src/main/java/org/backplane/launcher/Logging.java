// SPDX-License-Identifier: Apache-2.0
package org.backplane.launcher;

import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.regex.Pattern;
import org.osgi.framework.BundleException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings what the framework and the bundles around it have to say to the one log, {@code etc/logback.xml}: the
 * framework by its own logger class, File Install by {@code java.util.logging}. Otherwise both would print stack traces
 * to standard output, which may be a guest's serial line.
 *
 * <p>Nothing here is loaded before something is logged: Logback takes a tenth of a second to start.
 */
public final class Logging {

    private static final Pattern UNRESOLVED = Pattern.compile("(?s) Unresolved requirements: .*");
    private static final Pattern REVISION = Pattern.compile("\\[\\S+ \\[\\d+]\\(R [\\d.]+\\)] |( \\[\\d+])?\\(R [\\d.]+\\)");

    /** The JVM makes one when {@code java.util.logging} is first used, see {@link #install}. */
    public Logging() {
        LogManager.getLogManager().getLogger("").addHandler(new JulHandler());
    }

    /** Names this class as the configuration of {@code java.util.logging}, without touching that yet. */
    static void install() {
        System.setProperty("java.util.logging.config.class", Logging.class.getName());
    }

    /** What a throwable says, in one line, with the innermost reason when the outer ones do not tell it. */
    static String reason(Throwable thrown) {
        String message = message(thrown);
        for (Throwable cause = thrown.getCause(); cause != null; cause = cause.getCause()) {
            String more = message(cause);
            if (!message.contains(more)) {
                message = message + ": " + more;
            }
        }
        return message;
    }

    /** The resolver's messages name every bundle twice and everything again at the end. */
    private static String message(Throwable thrown) {
        String message = thrown.getMessage();
        if (message == null || message.isBlank()) {
            return thrown.getClass().getSimpleName();
        }
        String shorter = UNRESOLVED.matcher(message).replaceFirst("");
        shorter = REVISION.matcher(shorter).replaceAll("");
        return shorter.strip().lines().findFirst().orElse(message);
    }

    /** The framework's logger. */
    static final class Framework extends org.apache.felix.framework.Logger {
        @Override
        protected void doLog(int level, String message, Throwable thrown) {
            Logger log = LoggerFactory.getLogger("org.apache.felix.framework");
            if (thrown instanceof BundleException) {
                // Also told to whoever started the bundle; he knows better what to make of it.
                log.info(message, thrown);
            } else if (level <= LOG_WARNING) {
                log.warn(message, thrown);
            } else {
                log.info(message, thrown);
            }
        }
    }

    private static final class JulHandler extends Handler {
        @Override
        public void publish(LogRecord entry) {
            String name = entry.getLoggerName() == null ? "java.util.logging" : entry.getLoggerName();
            Throwable thrown = entry.getThrown();
            String message = thrown == null ? entry.getMessage() : entry.getMessage() + ": " + reason(thrown);
            Logger log = LoggerFactory.getLogger(name);
            if (entry.getLevel().intValue() >= Level.WARNING.intValue()) {
                log.warn(message, thrown);
            } else if (entry.getLevel().intValue() >= Level.INFO.intValue()) {
                log.info(message, thrown);
            }
        }

        @Override
        public void flush() {
            // Logback flushes each line.
        }

        @Override
        public void close() {
            // Nothing is held.
        }
    }
}
