package org.backplane.shell;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;

/** Bundles that bring cards: installing and updating them. Failures leave the container as it was. */
final class CardBundles {
    private final BundleContext context;

    CardBundles(BundleContext context) {
        this.context = context;
    }

    /** Installs and starts a bundle; answers its number. */
    long install(Path file) {
        requireBundle(file);
        Bundle b = null;
        try (InputStream in = Files.newInputStream(file)) {
            // The location tells copies of one file apart that were changed meanwhile.
            b = context.installBundle("card:" + file.toAbsolutePath() + "?" + Files.getLastModifiedTime(file).toMillis(), in);
            b.start();
            return b.getBundleId();
        } catch (BundleException | IOException e) {
            remove(b);
            throw new CommandException(file + " cannot be started: " + reason(e), e);
        }
    }

    private static void remove(Bundle b) {
        if (b == null) return;
        try {
            b.uninstall();
        } catch (BundleException e) {
            throw new CommandException("bundle " + b.getBundleId() + " cannot be removed again: " + reason(e), e);
        }
    }

    /** Updates a bundle in place. */
    void update(long id, Optional<Path> file) {
        file.ifPresent(CardBundles::requireBundle);
        Bundle b = context.getBundle(id);
        try {
            if (file.isPresent()) b.update(Files.newInputStream(file.get()));
            else b.update();
        } catch (BundleException | IOException e) {
            throw new CommandException("bundle " + id + " (" + b.getSymbolicName() + ") cannot be updated: " + reason(e), e);
        }
    }

    /** Looks before the framework does, which would log what is wrong too. */
    private static void requireBundle(Path file) {
        if (!Files.isRegularFile(file)) throw new CommandException("no such file: " + file);
        try (JarFile jar = new JarFile(file.toFile())) {
            Manifest m = jar.getManifest();
            if (m != null && m.getMainAttributes().getValue(Constants.BUNDLE_SYMBOLICNAME) != null) return;
        } catch (IOException e) {
            throw new CommandException(file + " is no bundle: " + e.getMessage(), e);
        }
        throw new CommandException(file + " is no bundle: its manifest has no " + Constants.BUNDLE_SYMBOLICNAME);
    }

    /** One line. */
    private static String reason(Exception e) {
        String all = e.getMessage() == null ? e.toString() : e.getMessage();
        if (e.getCause() != null && e.getCause().getMessage() != null && !all.contains(e.getCause().getMessage())) {
            all += ": " + e.getCause().getMessage();
        }
        return all.lines().findFirst().orElse("").strip();
    }
}
