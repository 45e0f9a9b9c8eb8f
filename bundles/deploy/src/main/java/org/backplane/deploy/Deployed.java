// SPDX-License-Identifier: Apache-2.0
package org.backplane.deploy;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarFile;
import org.apache.felix.fileinstall.ArtifactInstaller;
import org.backplane.board.api.Machines;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.wiring.BundleRevision;
import org.osgi.framework.wiring.FrameworkWiring;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bundles of the jars in {@code deploy/}: a jar that comes is installed and its cards are plugged, a changed one takes over from what it
 * was, one that goes takes its cards with it. The guests run on.
 *
 * <p><b>A change is a swap, side by side.</b> File Install would update the bundle in place: stop the old, then see whether the new one resolves. Here
 * the new one is installed beside the old under another location, resolved and started, and takes over slot after slot by the board's own transaction
 * ({@code Machine.swap}). Only then the old one goes. So whatever fails (the new jar does not resolve, its card refuses the state or does not come
 * back in time), the old card has never left, and the log says why. The framework takes two bundles of one version (etc/config.properties), so a rebuilt jar need
 * not count its version up.
 *
 * <p><b>A bundle that cannot start</b> stays installed and is tried again after every other change, as what it misses may come with the next jar.
 *
 * <p><b>Threading.</b> File Install's, which may be one a directory.
 */
@Component(service = ArtifactInstaller.class)
public final class Deployed implements ArtifactInstaller {
    private static final Logger LOG = LoggerFactory.getLogger(Deployed.class);

    /** In what the resolver says. */
    private static final String MISSING = "missing requirement ";

    private final BundleContext context;
    private final Plugger plugger;
    private final Machines machines;
    private final Slots slots;
    private final Map<File, Bundle> bundles = new TreeMap<>();

    /** Counts installations: each has a location of its own. */
    private long installations;

    @Activate
    public Deployed(BundleContext context, @Reference Plugger plugger, @Reference Machines machines) {
        this.context = context;
        this.plugger = plugger;
        this.machines = machines;
        slots = new Slots(machines);
    }

    @Override
    public boolean canHandle(File file) {
        return file.getName().endsWith(".jar") && (!file.exists() || file.isFile() && BadBundles.defect(file) == null);
    }

    @Override
    public synchronized void install(File file) {
        if (bundles.containsKey(file)) {
            update(file);
            return;
        }
        try {
            Bundle b = installed(file);
            bundles.put(file, b);
            if (start(file, b)) plugger.plug(file.getName(), b, machines);
        } catch (BundleException | IOException e) {
            LOG.warn("{} is not installed: {}", file.getName(), reason(e));
        }
        retry(file);
    }

    @Override
    public synchronized void update(File file) {
        Bundle old = bundles.get(file);
        if (old == null || old.getState() == Bundle.UNINSTALLED) {
            bundles.remove(file);
            install(file);
            return;
        }
        try {
            if (!symbolicName(file).equals(old.getSymbolicName())) {
                uninstall(file);
                install(file);
                return;
            }
            if (old.getState() == Bundle.ACTIVE) replace(file, old);
            else inPlace(file, old);
        } catch (BundleException | IOException e) {
            LOG.warn("{} is not taken: {}; {} goes on", file.getName(), reason(e), describe(old));
        }
        retry(file);
    }

    @Override
    public synchronized void uninstall(File file) {
        Bundle old = bundles.remove(file);
        if (old == null || old.getState() == Bundle.UNINSTALLED) return;
        slots.empty(file.getName(), old);
        try {
            old.uninstall();
            refresh(old);
            LOG.info("{}: {} is gone", file.getName(), describe(old));
        } catch (BundleException e) {
            LOG.warn("{}: {} cannot be removed: {}", file.getName(), describe(old), reason(e));
        }
        retry(file);
    }

    // ---- the ways ----

    private void replace(File file, Bundle old) throws BundleException, IOException {
        List<Slots.Place> places = slots.of(old);
        Bundle next = installed(file);
        try {
            next.start();
        } catch (BundleException e) {
            next.uninstall();
            refresh(next);
            LOG.warn("{}: {} is not taken: {}; {} goes on{}", file.getName(), describe(next), reason(e), describe(old), Slots.names(places));
            return;
        }
        String refusal = slots.move(file.getName(), places, old, next);
        if (refusal != null) {
            next.uninstall();
            refresh(next);
            LOG.warn("{}: {} is not taken: {}; {} goes on{}", file.getName(), describe(next), refusal, describe(old), Slots.names(places));
            return;
        }
        bundles.put(file, next);
        old.uninstall();
        refresh(old);
        if (places.isEmpty()) LOG.info("{}: {} replaces {}", file.getName(), describe(next), describe(old));
        plugger.plug(file.getName(), next, machines);
    }

    /** Nothing of the old one runs. */
    private void inPlace(File file, Bundle b) throws BundleException, IOException {
        try (InputStream in = Files.newInputStream(file.toPath())) {
            b.update(in);
        }
        refresh(b);
        if (start(file, b)) plugger.plug(file.getName(), b, machines);
    }

    /** Bundles that could not start may find now what they missed. */
    private void retry(File changed) {
        bundles.forEach((file, b) -> {
            if (file.equals(changed) || b.getState() != Bundle.INSTALLED && b.getState() != Bundle.RESOLVED || isFragment(b)) return;
            try {
                b.start();
                plugger.plug(file.getName(), b, machines);
            } catch (BundleException e) {
                LOG.debug("{} still cannot start", file.getName(), e);
            }
        });
    }

    private Bundle installed(File file) throws BundleException, IOException {
        try (InputStream in = Files.newInputStream(file.toPath())) {
            return context.installBundle("deploy:" + file.toURI().getPath() + "#" + ++installations, in);
        }
    }

    private boolean start(File file, Bundle b) {
        if (isFragment(b)) {
            refresh(b);
            LOG.info("{}: fragment {} is there", file.getName(), describe(b));
            return false;
        }
        try {
            b.start();
            LOG.info("{}: {} is there", file.getName(), describe(b));
            return true;
        } catch (BundleException e) {
            LOG.warn("{}: {} waits, it cannot start: {}", file.getName(), describe(b), reason(e));
            return false;
        }
    }

    /** What is wired to a bundle that went is wired anew. */
    private void refresh(Bundle b) {
        FrameworkWiring wiring = context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).adapt(FrameworkWiring.class);
        Collection<Bundle> pending = wiring.getRemovalPendingBundles();
        if (pending.contains(b) || isFragment(b)) wiring.refreshBundles(List.of(b));
    }

    // ---- words ----

    private static boolean isFragment(Bundle b) {
        BundleRevision r = b.adapt(BundleRevision.class);
        return r != null && (r.getTypes() & BundleRevision.TYPE_FRAGMENT) != 0;
    }

    private static String symbolicName(File file) throws IOException {
        try (JarFile jar = new JarFile(file)) {
            return jar.getManifest().getMainAttributes().getValue(Constants.BUNDLE_SYMBOLICNAME).replaceFirst(";.*", "").strip();
        }
    }

    static String describe(Bundle b) {
        return b.getSymbolicName() + " " + b.getVersion() + " (bundle " + b.getBundleId() + ")";
    }

    /** One line. */
    private static String reason(Exception e) {
        String all = e.getMessage() == null ? e.toString() : e.getMessage();
        Throwable cause = e.getCause();
        if (cause != null) {
            String why = cause.getMessage() == null ? cause.toString() : cause.getMessage();
            if (!all.contains(why)) all += ": " + why;
        }
        return resolution(all.lines().findFirst().orElse("").strip());
    }

    /** What the resolver says, without the numbers of revisions and said once. */
    private static String resolution(String message) {
        int missing = message.indexOf(MISSING);
        if (missing < 0) return message;
        String what = message.substring(missing + MISSING.length()).replaceFirst(" Unresolved requirements: .*", "");
        return "it misses " + what.replaceAll("\\[[^\\]]*\\]\\(R [^)]*\\)\\] ?", "").replaceAll("^\\[", "");
    }
}
