// SPDX-License-Identifier: Apache-2.0
package org.backplane.launcher;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.felix.framework.Felix;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.wiring.BundleRevision;

/**
 * The framework with the bundles of {@code system/}.
 *
 * <p>Bundles are installed by {@code reference:}, so that the framework opens the jars where they are and copies
 * nothing. A bundle that does not start is reported and stops nothing else: the rest of the board is still of use, and
 * it may start later when what it misses arrives in {@code deploy/}.
 *
 * <p>{@link #stop} may be called by several threads at once (the main thread and the shutdown hook); each returns when
 * the framework has stopped and the scratch directory is gone.
 */
final class Container {

    private static final long STOP_LIMIT_MILLIS = 10_000;

    private final Places places;
    private final Framework framework;
    private final List<Bundle> installed = new ArrayList<>();
    private final List<Problem> problems = new ArrayList<>();

    /** A bundle that was not installed or started, and why, in one line. */
    record Problem(String bundle, String reason) {
        @Override
        public String toString() {
            // The resolver begins with the bundle's name, too.
            return bundle + ": " + reason.replace("Unable to resolve " + bundle + ": ", "");
        }
    }

    private Container(Places places, Framework framework) {
        this.places = places;
        this.framework = framework;
    }

    /**
     * Makes a framework with every bundle that the profile does not leave out. None runs yet, but services can be
     * registered already.
     *
     * @param profile names the list {@code etc/PROFILE.exclude}
     * @param given properties that win over {@code etc/config.properties}
     */
    static Container create(Places places, String profile, Map<String, String> given)
            throws IOException, BundleException {
        Map<String, String> known = new HashMap<>(given);
        known.put("backplane.home", places.home().toString());
        known.put("backplane.data", places.data().toString());
        known.put("backplane.cache", places.cache().toString());
        known.put("backplane.mode", profile);
        known.put(Constants.FRAMEWORK_STORAGE, places.cache().resolve("felix").toString());
        Map<String, String> properties = Settings.properties(places.etc().resolve("config.properties"), known);
        List<Settings.Level> levels = Settings.levels(properties.getOrDefault("backplane.levels", ""));
        int last = levels.stream().mapToInt(Settings.Level::level).reduce(1, Math::max);
        properties.put(Constants.FRAMEWORK_BEGINNING_STARTLEVEL, Integer.toString(last));

        Map<String, Object> configuration = new HashMap<>(properties);
        configuration.put("felix.log.logger", new Logging.Framework());
        Framework framework = new Felix(configuration);
        Container container = new Container(places, framework);
        framework.init();
        container.install(Settings.list(places.etc().resolve(profile + ".exclude")), levels);
        return container;
    }

    /** Starts the bundles, level by level. */
    void start() throws BundleException {
        framework.start();
    }

    private void install(List<String> excluded, List<Settings.Level> levels) throws IOException {
        List<PathMatcher> leaveOut = excluded.stream().map(Settings::matcher).toList();
        List<Path> jars = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(places.system(), "*.jar")) {
            for (Path file : files) {
                if (leaveOut.stream().noneMatch(pattern -> pattern.matches(file.getFileName()))) {
                    jars.add(file);
                }
            }
        }
        jars.sort(null);
        BundleContext context = framework.getBundleContext();
        for (Path jar : jars) {
            try {
                Bundle bundle = context.installBundle("reference:" + jar.toUri());
                for (Settings.Level level : levels) {
                    if (level.pattern().matches(jar.getFileName())) {
                        bundle.adapt(BundleStartLevel.class).setStartLevel(level.level());
                    }
                }
                installed.add(bundle);
            } catch (BundleException e) {
                problems.add(new Problem(jar.getFileName().toString(), Logging.reason(e)));
            }
        }
        for (Bundle bundle : installed) {
            try {
                // The framework is not active yet: this marks the bundle, and the start level starts it.
                if (!isFragment(bundle)) {
                    bundle.start(Bundle.START_ACTIVATION_POLICY);
                }
            } catch (BundleException e) {
                problems.add(new Problem(bundle.getSymbolicName(), Logging.reason(e)));
            }
        }
    }

    private static boolean isFragment(Bundle bundle) {
        return (bundle.adapt(BundleRevision.class).getTypes() & BundleRevision.TYPE_FRAGMENT) != 0;
    }

    /**
     * The bundles of {@code system/} that are not running though they should be. Asking starts them once more, for the framework tells
     * why a bundle does not resolve only to the one who starts it.
     */
    List<Problem> problems() {
        List<Problem> found = new ArrayList<>(problems);
        for (Bundle bundle : installed) {
            if (bundle.getState() != Bundle.ACTIVE && bundle.getState() != Bundle.STARTING && !isFragment(bundle)) {
                try {
                    bundle.start(Bundle.START_TRANSIENT | Bundle.START_ACTIVATION_POLICY);
                } catch (BundleException e) {
                    found.add(new Problem(bundle.getSymbolicName(), Logging.reason(e)));
                } catch (IllegalStateException e) {
                    // Uninstalled meanwhile.
                }
            }
        }
        return found;
    }

    BundleContext context() {
        return framework.getBundleContext();
    }

    /** Waits until someone stops the framework: the shell's end, {@code exit}, or the shutdown hook. */
    void await() throws InterruptedException {
        framework.waitForStop(0);
    }

    void stop() {
        try {
            framework.stop();
            framework.waitForStop(STOP_LIMIT_MILLIS);
        } catch (BundleException e) {
            System.err.println("backplane: stopping: " + Logging.reason(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        places.clean();
    }
}
