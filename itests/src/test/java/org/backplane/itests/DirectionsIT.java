package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.Utf8Entry;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.Osgi;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.Constants;
import org.osgi.framework.namespace.PackageNamespace;
import org.osgi.framework.wiring.BundleCapability;
import org.osgi.framework.wiring.BundleWire;
import org.osgi.framework.wiring.BundleWiring;

/**
 * Who may use whom (ARCHITECTURE.md, "Directions"): nobody depends on a bundle that implements something, neither by its manifest nor behind
 * its back.
 */
@InContainer
class DirectionsIT {
    private static final String API = "org.backplane.kvm-api";

    /** They register no service, so they are no implementation that could be swapped, and anybody may import them. */
    private static final Set<String> LIBRARIES = Set.of(API, "org.backplane.device-kit", "org.backplane.x86-isa");

    @Test
    void packagesOfOursComeFromLibrariesOnly() {
        for (Bundle b : Osgi.ownBundles()) {
            for (BundleWire wire : b.adapt(BundleWiring.class).getRequiredWires(PackageNamespace.PACKAGE_NAMESPACE)) {
                String provider = wire.getProvider().getSymbolicName();
                if (!provider.startsWith("org.backplane.")) continue;
                Object imported = wire.getCapability().getAttributes().get(PackageNamespace.PACKAGE_NAMESPACE);
                assertTrue(LIBRARIES.contains(provider), () -> b.getSymbolicName() + " imports " + imported + " of " + provider);
                assertFalse(b.getSymbolicName().equals(API) && !provider.equals(API), () -> API + " imports " + imported + " of " + provider);
            }
        }
    }

    @Test
    void noManifestGoesAroundImports() {
        for (Bundle b : Osgi.ownBundles()) {
            for (String header : new String[] {Constants.REQUIRE_BUNDLE, Constants.DYNAMICIMPORT_PACKAGE, Constants.FRAGMENT_HOST}) {
                assertNull(b.getHeaders().get(header), () -> b.getSymbolicName() + " has " + header);
            }
        }
    }

    @Test
    void onlyApiAndSpiPackagesAreExportedBesideLibraries() {
        for (Bundle b : Osgi.ownBundles()) {
            for (String exported : exports(b)) {
                boolean allowed = b.getSymbolicName().equals(API) ? exported.matches(".*\\.(api|spi)(\\..*)?") : LIBRARIES.contains(b.getSymbolicName());
                assertTrue(allowed, () -> b.getSymbolicName() + " exports " + exported);
            }
        }
    }

    @Test
    void everyExportedPackageHasAVersion() {
        for (Bundle b : Osgi.ownBundles()) {
            for (BundleCapability c : capabilities(b)) {
                assertFalse(
                        c.getAttributes().get(PackageNamespace.CAPABILITY_VERSION_ATTRIBUTE).toString().equals("0.0.0"),
                        () -> b.getSymbolicName() + " exports without a version: " + c);
            }
        }
    }

    @Test
    void librariesRegisterNoService() {
        for (String library : LIBRARIES) assertNull(Osgi.bundle(library).getRegisteredServices(), library);
    }

    /** Nor by a class's name in a string: none in any class file lies in a private package of another bundle. */
    @Test
    void noClassNamesAPrivatePackageOfAnotherBundle() throws IOException {
        Map<String, String> owners = new HashMap<>();
        for (Bundle b : Osgi.ownBundles()) for (String p : privatePackages(b)) owners.put(p, b.getSymbolicName());
        assertEquals("org.backplane.dev-serial", owners.get("org.backplane.devserial"), "packages are found");
        List<String> found = new ArrayList<>();
        for (Bundle b : Osgi.ownBundles()) {
            for (URL url : classes(b)) {
                for (PoolEntry e : parse(url).constantPool()) {
                    if (!(e instanceof Utf8Entry text)) continue;
                    for (String name : namesIn(text.stringValue())) {
                        String owner = owners.get(name);
                        if (owner != null && !owner.equals(b.getSymbolicName())) found.add(url + " names " + name + " of " + owner);
                    }
                }
            }
        }
        assertEquals(List.of(), found);
    }

    /** Nor by loading classes or looking for implementations by name. */
    @Test
    void noClassLoadsClassesByName() throws IOException {
        Set<String> tricks = Set.of(
                "java/lang/Class.forName", "java/lang/ClassLoader.loadClass", "org/osgi/framework/Bundle.loadClass", "java/util/ServiceLoader.load");
        List<String> found = new ArrayList<>();
        for (Bundle b : Osgi.ownBundles()) {
            for (URL url : classes(b)) {
                for (PoolEntry e : parse(url).constantPool()) {
                    if (e instanceof MemberRefEntry m && tricks.contains(m.owner().asInternalName() + "." + m.name().stringValue())) {
                        found.add(url + " calls " + m.owner().asInternalName() + "." + m.name().stringValue());
                    }
                }
            }
        }
        assertEquals(List.of(), found);
    }

    private static final Pattern NAME = Pattern.compile("org([./])backplane(\\1\\w+)+");

    /** Every package that a text may mean: each name of ours in it, as a package and as a class. */
    private static List<String> namesIn(String text) {
        List<String> names = new ArrayList<>();
        for (Matcher m = NAME.matcher(text); m.find(); ) {
            String name = m.group().replace('/', '.');
            names.add(name);
            names.add(name.substring(0, name.lastIndexOf('.')));
        }
        return names;
    }

    private static List<BundleCapability> capabilities(Bundle b) {
        return b.adapt(BundleWiring.class).getCapabilities(PackageNamespace.PACKAGE_NAMESPACE);
    }

    private static List<String> exports(Bundle b) {
        return capabilities(b).stream().map(c -> c.getAttributes().get(PackageNamespace.PACKAGE_NAMESPACE).toString()).toList();
    }

    private static Set<String> privatePackages(Bundle b) {
        Set<String> packages = new TreeSet<>();
        for (URL url : classes(b)) {
            String path = url.getPath();
            packages.add(path.substring(1, path.lastIndexOf('/')).replace('/', '.'));
        }
        packages.removeAll(exports(b));
        return packages;
    }

    private static List<URL> classes(Bundle b) {
        var found = b.findEntries("/", "*.class", true);
        return found == null ? List.of() : Collections.list(found);
    }

    private static ClassModel parse(URL url) throws IOException {
        try (InputStream in = url.openStream()) {
            return ClassFile.of().parse(in.readAllBytes());
        }
    }
}
