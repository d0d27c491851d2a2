package shop;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** Answers everything else with its version and its profile, and on the line after them what was sent. */
@RestController
public class ShopController {
    private final String version;
    private final ProfileController profile;

    public ShopController(@Value("${shop.version}") String version, ProfileController profile) {
        this.version = version;
        this.profile = profile;
    }

    @RequestMapping(path = "/**", produces = MediaType.TEXT_PLAIN_VALUE)
    public String answer(@RequestBody(required = false) String body) {
        return version + " " + profile.profile() + "\n" + (body == null ? "" : body);
    }
}
