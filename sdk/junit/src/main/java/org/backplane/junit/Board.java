package org.backplane.junit;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.apache.felix.framework.FrameworkFactory;
import org.backplane.board.api.Machines;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.launch.Framework;
import org.osgi.util.tracker.ServiceTracker;
import org.slf4j.Logger;

/**
 * An OSGi framework in this JVM with the bundles of the board and those of the cards under test. Two boards share nothing.
 *
 * <p><b>What the test shares with it.</b> {@code kvm-api} and {@code slf4j} are no bundles here: the framework exports them from the class path of the
 * test, with the packages and versions of their own manifests, so that the interfaces which the test sees are those which the board implements. All
 * else is in bundles: a class that none has is not looked for on the class path.
 */
final class Board implements AutoCloseable {
    private static final long START_MILLIS = 20_000;
    private static final long STOP_MILLIS = 10_000;

    private final Path scratch;
    private final Framework framework;
    private final List<Bundle> cards = new ArrayList<>();

    private Board(Path scratch, Framework framework) {
        this.scratch = scratch;
        this.framework = framework;
    }

    /** @throws IllegalStateException with the bundle that cannot be started, and why */
    static Board start(List<CardBundle> cards) throws IOException {
        cards.forEach(CardBundle::check);
        Path scratch = Files.createTempDirectory("backplane-junit");
        Map<String, String> settings = new HashMap<>();
        settings.put(Constants.FRAMEWORK_STORAGE, scratch.resolve("felix").toString());
        settings.put(Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA, exportsOf(Machines.class) + "," + exportsOf(Logger.class));
        settings.put("felix.bootdelegation.implicit", "false");
        // Or the resolver's threads stay behind.
        settings.put("felix.resolver.parallelism", "1");
        settings.put("felix.log.level", "1");
        settings.put("ds.loglevel", "1");
        Board board = new Board(scratch, new FrameworkFactory().newFramework(settings));
        try {
            board.install(cards);
            return board;
        } catch (BundleException e) {
            board.close();
            throw new IllegalStateException(reason(e), e);
        } catch (IOException | RuntimeException e) {
            board.close();
            throw e;
        }
    }

    private void install(List<CardBundle> cardBundles) throws BundleException, IOException {
        framework.init();
        BundleContext context = framework.getBundleContext();
        List<Bundle> own = new ArrayList<>();
        forEachOwn(jar -> {
            try (InputStream in = Files.newInputStream(jar)) {
                own.add(context.installBundle("board:" + jar.getFileName(), in));
            }
        });
        for (CardBundle c : cardBundles) cards.add(context.installBundle(c.location()));
        framework.start();
        for (Bundle b : own) b.start();
        for (Bundle b : cards) b.start();
    }

    /** The header of the bundle on the class path that this class comes from. */
    private static String exportsOf(Class<?> type) throws IOException {
        URL location = type.getProtectionDomain().getCodeSource().getLocation();
        URL manifest = URI.create((location.getPath().endsWith("/") ? location.toString() : "jar:" + location + "!/") + "META-INF/MANIFEST.MF").toURL();
        try (InputStream in = manifest.openStream()) {
            String exports = new Manifest(in).getMainAttributes().getValue(Constants.EXPORT_PACKAGE);
            if (exports == null) throw new IllegalStateException(location + " is no bundle, but has " + type.getName());
            return exports;
        }
    }

    private interface Visitor {
        void visit(Path jar) throws IOException, BundleException;
    }

    /** The board's bundles: the jars in {@code board/}, beside this class. */
    private static void forEachOwn(Visitor visitor) throws IOException, BundleException {
        Path here;
        try {
            here = Path.of(Board.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
        if (Files.isDirectory(here)) {
            visitAll(here.resolve("board"), visitor);
            return;
        }
        try (FileSystem jar = FileSystems.newFileSystem(here)) {
            visitAll(jar.getPath("board"), visitor);
        }
    }

    private static void visitAll(Path directory, Visitor visitor) throws IOException, BundleException {
        List<Path> jars;
        try (Stream<Path> files = Files.list(directory)) {
            jars = files.filter(f -> f.toString().endsWith(".jar")).sorted().toList();
        }
        for (Path jar : jars) visitor.visit(jar);
    }

    /** The service, which is there when all that it needs is. */
    Machines machines() throws InterruptedException {
        ServiceTracker<Machines, Machines> tracker = new ServiceTracker<>(framework.getBundleContext(), Machines.class, null);
        tracker.open();
        try {
            Machines m = tracker.waitForService(START_MILLIS);
            if (m == null) throw new IllegalStateException("the board did not come up in " + START_MILLIS / 1000 + " s");
            return m;
        } finally {
            tracker.close();
        }
    }

    /** Updates the bundles of the cards in place, each from where it came. */
    void updateCards() {
        for (Bundle b : cards) {
            try {
                b.update();
            } catch (BundleException e) {
                throw new IllegalStateException(b.getSymbolicName() + " cannot be updated: " + reason(e), e);
            }
        }
    }

    /** The first line of the resolver's message; the rest says it again. */
    private static String reason(Exception e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("").replaceFirst(" Unresolved requirements: .*", "");
    }

    /** Stops everything, and deletes what the framework has written. */
    @Override
    public void close() throws IOException {
        try {
            framework.stop();
            framework.waitForStop(STOP_MILLIS);
        } catch (BundleException e) {
            throw new IOException("the board does not stop", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        try (Stream<Path> all = Files.walk(scratch)) {
            for (Path p : all.toList().reversed()) Files.delete(p);
        }
    }
}
